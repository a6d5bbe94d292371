import type { JudgeFolders } from "../evaluation/judge-names.ts";
import type { Budget } from "../settings/bench.ts";
import type { MethodName } from "../settings/learning.ts";
import type { Surroundings } from "../settings/surroundings.ts";
import type { TrainRequest } from "../settings/train-settings.ts";
import type { Method } from "./methods.ts";
import type { Subject } from "./subjects/dreambench.ts";

/** What a benchmark is to do. */

/** A subject with how it is trained. */
export interface PlannedSubject extends Subject {
  /** By RPO and on the photos alone. */
  readonly training: Omit<TrainRequest, "output" | "threads" | "seed" | "preference" | "earlyStopping">;
  /** By the other methods that rows are of. */
  readonly others?: Readonly<Partial<Record<MethodName, PlannedSubject["training"]>>>;
}

/** How a subject is trained by a method. */
export function trainingBy({ name, training, others }: PlannedSubject, method: MethodName): PlannedSubject["training"] {
  const found = method === "rpo" ? training : others?.[method];
  if (found === undefined) throw new Error(`${name}: no plan of a training by ${method}`);
  return found;
}

export interface Drawing {
  /** Pictures of each prompt. */
  readonly pictures: number;
  readonly steps: number;
  readonly guidance: number;
}

/** Everything that a benchmark's figures depend on. */
export interface BenchPlan {
  readonly output: string;
  /** What it is of, for people: "tinybench", "dreambench". */
  readonly name: string;
  /** Of tinybench's photos. */
  readonly surroundings?: Surroundings | undefined;
  readonly subjects: readonly PlannedSubject[];
  readonly methods: readonly Method[];
  readonly seeds: readonly number[];
  /** Of a second table, at equal seconds. */
  readonly budget?: Budget | undefined;
  readonly drawing: Drawing;
  readonly judges: JudgeFolders;
}
