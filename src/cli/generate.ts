import { isEmbedded } from "../checkpoints/embedded.ts";
import type { WeightedLora, WordEmbedding } from "../commands/generate/drawing-model.ts";
import { runTask } from "../engine/host.ts";
import type { GivenSettings } from "../settings/parse.ts";
import { number } from "../settings/kinds.ts";
import { checkOutput } from "../commands/paths.ts";
import { mergeFrom } from "../commands/generate/from.ts";
import { checkPhoto, findPhoto } from "../commands/generate/photo.ts";
import { chooseMachine, type Machine, type WantedMachine } from "../commands/machine.ts";
import { findSource } from "../commands/source.ts";
import { UsageError } from "../system/errors.ts";
import { exists } from "../system/files.ts";
import { terminal } from "./terminal.ts";
import { EXIT } from "./failure.ts";
import { onInterrupt } from "./interrupt.ts";
import { createProgress } from "./progress.ts";
import { showWork } from "./show-work.ts";

/** `rpo generate`. @returns the exit code */
export async function generateCommand(given: GivenSettings, { json }: { readonly json: boolean }): Promise<number> {
  const merged = await mergeFrom(given);
  const {
    prompt,
    number: count,
    model,
    variant,
    vae,
    prediction,
    adapter,
    photo,
    photoWeight,
    textWeight,
    imageEncoder,
    lora,
    embedding,
    negative,
    guidance,
    height,
    width,
    ...rest
  } = merged.settings;
  for (const note of merged.notes) process.stderr.write(`note: ${note}\n`);
  await checkOutput(rest.output);
  const loras: WeightedLora[] = [];
  for (const each of lora) loras.push(await parseLora(each));
  const embeddings: WordEmbedding[] = [];
  for (const each of embedding) embeddings.push(await parseEmbedding(each));
  const wantedPhoto = { photo, photoWeight, textWeight, imageEncoder };
  await checkPhoto(wantedPhoto);
  const source = await findSource({ model, variant, vae, prediction, adapter }, terminal);
  const drawnPhoto = await findPhoto(wantedPhoto, source, terminal);
  if (adapter === undefined && isEmbedded(source.model))
    process.stderr.write(
      "note: the embedded model is a miniature: it knows a dozen things in a dozen places, 64 pixels wide, and nothing else; --model takes a real one, such as sd15\n",
    );
  const progress = createProgress();
  const interrupt = onInterrupt(
    (line) => progress.log(line),
    () => progress.stop(),
  );
  try {
    const settings = {
      ...rest,
      ...(await chooseRecorded(rest, given)),
      prompts: prompt,
      count,
      model: source.model,
      variant: source.variant,
      vae: source.vae,
      prediction: source.prediction,
      adapter: source.adapter,
      photo: drawnPhoto,
      token: source.run?.settings.token ?? merged.record?.token,
      otherTokens: source.run?.settings.concepts?.slice(1).map(({ token }) => token),
      guidance: guidance ?? source.guidance,
      loras: [...(source.loras ?? []), ...loras],
      embeddings,
      negative,
      height,
      width,
      expected: merged.record,
      redraw: merged.redraw,
    };
    const { pictures, interrupted } = await runTask("generate", settings, {
      onEvent: showWork(progress, { json }),
      signal: interrupt.signal,
    });
    progress.stop();
    const drawn = interrupted ? `${pictures.length} of ${prompt.length * count}` : String(pictures.length);
    process.stderr.write(`${drawn} picture${pictures.length === 1 && !interrupted ? "" : "s"} in ${rest.output}\n`);
    return interrupted ? EXIT.interrupted : EXIT.done;
  } finally {
    progress.stop();
    interrupt.release();
  }
}

/** The machine that is asked for; one that a picture was drawn on and that is not here gives way to this one. */
async function chooseRecorded(wanted: WantedMachine, given: GivenSettings): Promise<Machine> {
  try {
    return await chooseMachine(wanted, terminal);
  } catch (error) {
    if (given["from"] === undefined || "device" in given || "precision" in given || !(error instanceof UsageError))
      throw error;
    return chooseMachine({ threads: wanted.threads }, terminal);
  }
}

/**
 * FILE or FILE:WEIGHT; the file's own name may hold colons.
 * @throws UsageError when there is no such file, or no number behind the colon
 */
export async function parseLora(given: string): Promise<WeightedLora> {
  const [path, behind] = await fileAndMore(given, "--lora", "WEIGHT");
  if (behind === undefined) return { path, weight: 1 };
  const parsed = number.given.safeParse(behind);
  if (!parsed.success) throw new UsageError(`--lora ${given}: expected a number behind the colon, such as ${path}:0.8`);
  return { path, weight: parsed.data };
}

/** FILE or FILE:WORD. @throws UsageError when there is no such file */
export async function parseEmbedding(given: string): Promise<WordEmbedding> {
  const [path, word] = await fileAndMore(given, "--embedding", "WORD");
  return { path, word };
}

async function fileAndMore(given: string, flag: string, what: string): Promise<[path: string, behind?: string]> {
  if (await exists(given)) return [given];
  const colon = given.lastIndexOf(":");
  const path = colon < 0 ? given : given.slice(0, colon);
  if (!(await exists(path)))
    throw new UsageError(`${flag} ${given}: no such file or folder (expected FILE or FILE:${what})`);
  return [path, given.slice(colon + 1)];
}
