import { expectTypeOf, test } from "vitest";
import type { z } from "zod";
import type { SamplerName } from "../diffusion/create.ts";
import type { MACHINE } from "../settings/common.ts";
import type { EVALUATE } from "../settings/evaluate.ts";
import type { DRAWING, SOURCE } from "../settings/generate.ts";
import type { JUDGE } from "../settings/judge.ts";
import type { SELECT } from "../settings/select.ts";
import type { NameOf } from "../settings/setting.ts";
import type { RPO } from "../methods/rpo/settings.ts";
import type { JUDGING } from "../settings/judging.ts";
import type { LEARNING } from "../settings/learning.ts";
import type { Control } from "./control.ts";
import type { EvaluateOptions } from "./evaluate.ts";
import type { JudgeOptions } from "./judge.ts";
import type { GenerateOptions, PipelineOptions, Sampler } from "./pipeline.ts";
import type { SelectOptions } from "./select.ts";
import type { TrainOptions } from "./train.ts";

/** Options are written by hand, for their documentation. These tests are the compiler's. */

/** Other methods than RPO have theirs in `methodSettings`. */
type TrainTable = typeof LEARNING & typeof JUDGING & typeof RPO;

type Names<Table, K extends keyof Table> = Extract<NameOf<Pick<Table, K>>, PropertyKey>;

type Given<S> = S extends { readonly given: z.ZodType<infer T> } ? T : never;

/** The settings of a table that no option of the same name and kind stands for. */
type Missing<Table, Options> = {
  [K in keyof Table]: {
    [N in Names<Table, K>]: N extends keyof Options
      ? [NonNullable<Options[N]>, Given<Table[K]>] extends [Given<Table[K]>, NonNullable<Options[N]>]
        ? true
        : never
      : never;
  }[Names<Table, K>] extends never
    ? K
    : never;
}[keyof Table];

type Unknown<Table, Options, Own> = Exclude<keyof Options, NameOf<Table> | keyof Control | Own>;

test("options are the command line's settings, and of their kinds", () => {
  // any method's name: a new method is nothing new here
  expectTypeOf<Missing<TrainTable, TrainOptions>>().toEqualTypeOf<"method">();
  expectTypeOf<TrainOptions["method"]>().toEqualTypeOf<string | undefined>();
  expectTypeOf<Unknown<TrainTable, TrainOptions, "confirm" | "resume" | "log" | "methodSettings">>().toBeNever();
  expectTypeOf<Missing<typeof EVALUATE, EvaluateOptions>>().toBeNever();
  expectTypeOf<Unknown<typeof EVALUATE, EvaluateOptions, never>>().toBeNever();
  expectTypeOf<Missing<typeof DRAWING, GenerateOptions>>().toBeNever();
  expectTypeOf<Unknown<typeof DRAWING, GenerateOptions, "prompt" | "count">>().toBeNever();
  expectTypeOf<Missing<typeof SOURCE & typeof MACHINE, PipelineOptions>>().toBeNever();
  expectTypeOf<Unknown<typeof SOURCE & typeof MACHINE, PipelineOptions, "loras" | "embeddings">>().toBeNever();
  expectTypeOf<Missing<typeof SELECT, SelectOptions>>().toBeNever();
  // one or several
  expectTypeOf<Missing<typeof JUDGE, JudgeOptions>>().toEqualTypeOf<"checkpoints">();
  expectTypeOf<Unknown<typeof JUDGE, JudgeOptions, "watch">>().toBeNever();
  expectTypeOf<Sampler>().toEqualTypeOf<SamplerName>();
});

test("an option that is missing, or of another kind, is found", () => {
  expectTypeOf<Missing<TrainTable, Omit<TrainOptions, "lr" | "crop">>>().toEqualTypeOf<
    "learningRate" | "crop" | "method"
  >();
  expectTypeOf<Missing<TrainTable, Omit<TrainOptions, "rank"> & { rank?: string }>>().toEqualTypeOf<
    "rank" | "method"
  >();
});
