import { z } from "zod";
import { EMBEDDED_MODEL } from "../checkpoints/embedded.ts";
import type { WeightedLora } from "../jobs/generate.ts";
import { runTask } from "../jobs/host.ts";
import { readRunConfig } from "../rpo/run-config.ts";
import { exists, holdsRun } from "../rpo/run-folder.ts";
import { UsageError } from "../tensor/errors.ts";
import { EXIT } from "./failure.ts";
import { onInterrupt } from "./interrupt.ts";
import { fields, parseSettings, type GivenSettings } from "./options.ts";
import { createProgress } from "./progress.ts";
import { findModels, restoreModel } from "./hub-models.ts";
import { checkOutput } from "./paths.ts";

const { integer, text, atLeast, sampler, threads, device } = fields;

const schema = z.strictObject({
  model: text.optional(),
  variant: fields.variant.optional(),
  adapter: text.optional(),
  lora: z.array(text).default([]),
  prompt: z.array(text).min(1),
  negative: z.string().optional(),
  number: integer(1, 10_000).default(4),
  seed: integer(0).default(0),
  sampler: sampler.default("dpm"),
  steps: integer(1, 1000).default(20),
  guidance: atLeast(0).default(7.5),
  height: integer(8, 4096).optional(),
  width: integer(8, 4096).optional(),
  output: text,
  threads,
  device,
});

/** `rpo generate`. @returns the exit code */
export async function generateCommand(given: GivenSettings, { json }: { readonly json: boolean }): Promise<number> {
  const { prompt, number, model, variant, adapter, lora, negative, height, width, ...rest } = parseSettings(
    schema,
    given,
  );
  await checkOutput(rest.output);
  if (adapter !== undefined && !(await exists(adapter)))
    throw new UsageError(`--adapter ${adapter}: no such file or folder`);
  const loras: WeightedLora[] = [];
  for (const each of lora) loras.push(await parseLora(each));
  const found = await findModel({ model, variant }, adapter);
  const progress = createProgress();
  const interrupt = onInterrupt(
    (line) => progress.log(line),
    () => progress.stop(),
  );
  try {
    const settings = {
      ...rest,
      prompts: prompt,
      count: number,
      ...found,
      adapter,
      loras,
      negative,
      height,
      width,
    };
    const { pictures, interrupted } = await runTask("generate", settings, {
      onEvent(event) {
        if (event.type === "progress") progress.update(event.phase, event.done, event.total);
        else if (event.type === "warning") progress.log(`warning: ${event.text}`);
        if (json && event.type !== "progress") process.stdout.write(`${JSON.stringify(event)}\n`);
      },
      signal: interrupt.signal,
    });
    progress.stop();
    process.stderr.write(`${pictures.length} picture${pictures.length === 1 ? "" : "s"} in ${rest.output}\n`);
    return interrupted ? EXIT.interrupted : EXIT.done;
  } finally {
    progress.stop();
    interrupt.release();
  }
}

interface Model {
  readonly model: string | undefined;
  readonly variant: string | undefined;
}

/** The model's folder or file; undefined for a run's own, and where an adapter does not say what it belongs to. */
async function findModel({ model, variant }: Model, adapter: string | undefined): Promise<Model> {
  if (model === undefined && adapter !== undefined) {
    if (!(await holdsRun(adapter))) return { model, variant };
    const run = (await readRunConfig(adapter)).settings;
    const wanted = variant ?? run.variant;
    return { model: await restoreModel("--model", run.model, wanted), variant: wanted };
  }
  const name = model ?? EMBEDDED_MODEL;
  return { model: (await findModels({ model: { flag: "--model", name, variant } })).model, variant };
}

/**
 * FILE or FILE:WEIGHT; the file's own name may hold colons.
 * @throws UsageError when there is no such file, or no number behind the colon
 */
export async function parseLora(given: string): Promise<WeightedLora> {
  if (await exists(given)) return { path: given, weight: 1 };
  const colon = given.lastIndexOf(":");
  const path = colon < 0 ? given : given.slice(0, colon);
  if (!(await exists(path)))
    throw new UsageError(`--lora ${given}: no such file or folder (expected FILE or FILE:WEIGHT)`);
  const parsed = fields.number.safeParse(given.slice(colon + 1));
  if (!parsed.success) throw new UsageError(`--lora ${given}: expected a number behind the colon, such as ${path}:0.8`);
  return { path, weight: parsed.data };
}
