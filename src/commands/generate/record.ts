import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { z } from "zod";
import { EMBEDDED_MODEL, isEmbedded } from "../../checkpoints/embedded.ts";
import { describeFiles, fingerprint } from "../../checkpoints/hashes.ts";
import type { StableDiffusion } from "../../checkpoints/stable-diffusion.ts";
import { repoOfSnapshot } from "../../hub/cache.ts";
import { BACKENDS } from "../../runtime/backends/index.ts";
import { VERSION } from "../../system/version.ts";
import type { PngText } from "../../images/png-text.ts";
import { trainedName } from "../paths.ts";
import { infotext } from "./infotext.ts";
import { MOST_FILES, name, type CommonRecord, type Named, type PictureRecord } from "./record-schema.ts";
import type { GeneratedPicture, GenerateSettings } from "./request.ts";

/**
 * What a picture was drawn with, so that it can be drawn again. It lies in the picture, which is sent on: it names models and files, and says
 * by a hash which they were, but not where they lie on the machine that drew it. prompts.json beside the pictures says that too.
 */

/** What all pictures of a call were drawn with. */
export async function recordOf(
  settings: GenerateSettings,
  model: StableDiffusion,
  { height, width }: { readonly height: number; readonly width: number },
): Promise<CommonRecord> {
  const { negative, promptWeights, sampler, steps, guidance, variant, vae, prediction, adapter, token } = settings;
  const { threads, device, precision, photo } = settings;
  return {
    version: VERSION,
    ...(negative !== undefined && negative !== "" && { negative }),
    ...(promptWeights === true && { promptWeights }),
    ...{ sampler, steps, guidance, height, width },
    model: { name: modelName(settings.model), hash: await modelHash(model) },
    ...(variant !== undefined && { variant }),
    ...(vae !== undefined && { vae: { name: modelName(vae), hash: await pathHash(vae) } }),
    ...(prediction !== undefined && { prediction }),
    ...(adapter !== undefined && { adapter: { name: trainedName(adapter), hash: await pathHash(adapter) } }),
    ...(photo !== undefined && {
      photo: {
        name: basename(photo.path),
        hash: await pathHash(photo.path),
        weight: photo.weight,
        textWeight: photo.textWeight,
        encoder: { name: modelName(photo.encoder), hash: await pathHash(photo.encoder) },
      },
    }),
    ...(token !== undefined && { token }),
    loras: await Promise.all(
      (settings.loras ?? []).map(async ({ path, weight }) => ({
        name: trainedName(path),
        hash: await pathHash(path),
        weight,
      })),
    ),
    embeddings: await Promise.all(
      (settings.embeddings ?? []).map(async ({ path, word }) => ({
        name: basename(path),
        hash: await pathHash(path),
        ...(word !== undefined && { word }),
      })),
    ),
    machine: machineOf({ threads, device, precision }),
  };
}

/** In what a picture will differ from the recorded one though nobody asked for it: a line for each. */
export function differences(expected: CommonRecord | undefined, actual: CommonRecord | undefined): string[] {
  if (expected === undefined || actual === undefined) return [];
  const lines: string[] = [];
  const compare = (was: Named | undefined, is: Named | undefined) => {
    if (was?.hash === is?.hash) return;
    if (was === undefined) lines.push(`${is?.name}: the picture was drawn without it; it will be another`);
    else if (is === undefined) lines.push(`without ${was.name}, which the picture was drawn with; it will be another`);
    else if (is.name === was.name)
      lines.push(
        `${is.name}: another file than that of this name which the picture was drawn with; it will be another`,
      );
    else lines.push(`${is.name}: not ${was.name} as the picture was drawn with; it will be another`);
  };
  compare(expected.model, actual.model);
  compare(expected.vae, actual.vae);
  compare(expected.adapter, actual.adapter);
  compare(expected.photo, actual.photo);
  compare(expected.photo?.encoder, actual.photo?.encoder);
  for (const key of ["loras", "embeddings"] as const)
    for (let i = 0; i < Math.max(expected[key].length, actual[key].length); i++)
      compare(expected[key].at(i), actual[key].at(i));
  for (const [i, lora] of actual.loras.entries()) {
    const weight = expected.loras.at(i)?.weight;
    if (weight !== undefined && weight !== lora.weight)
      lines.push(
        `${lora.name}: weight ${lora.weight}, not ${weight} as the picture was drawn with; it will be another (${lora.name}:${weight} gives that weight)`,
      );
  }
  const [was, is] = [expected, actual].map(({ machine, version }) => describe(machine, version));
  if (lines.length === 0 && was !== is)
    lines.push(`the picture was drawn ${was}, and is now ${is}: its last bits may differ`);
  return lines;
}

function describe({ threads, device, precision, engine, platform }: PictureRecord["machine"], version: string): string {
  const where = [device, precision].filter((part) => part !== undefined).join(" ");
  return `by rpo ${version} with ${threads} threads on ${platform}${where === "" ? "" : ` (${where})`}, engine ${engine}`;
}

/** The records of a call's pictures. @param batches which of them are drawn together */
export function pictureRecords(
  common: CommonRecord | undefined,
  planned: readonly GeneratedPicture[],
  batches: readonly (readonly number[])[],
): (picture: GeneratedPicture) => PictureRecord | undefined {
  if (common === undefined) return () => undefined;
  const asTogether = ({ prompt, seed }: GeneratedPicture) => ({ prompt, seed });
  return ({ file, prompt, seed }) => {
    const i = planned.findIndex((each) => each.file === file && each.prompt === prompt && each.seed === seed);
    const batch = batches.find((each) => each.includes(i)) ?? [i];
    const pictures = batch.map((each) => asTogether(planned[each]));
    return { ...common, prompt, seed, batch: { pictures, at: batch.indexOf(i) } };
  };
}

/** The keyword of a record in a picture. */
export const RECORD_KEY = "rpo";
/** Of what other programs write and read. */
export const PARAMETERS_KEY = "parameters";

/** A record as a picture has it. */
export function textsOfRecord(record: PictureRecord | undefined): PngText[] {
  if (record === undefined) return [];
  return [
    [PARAMETERS_KEY, infotext(record)],
    [RECORD_KEY, JSON.stringify(record)],
  ];
}

/** Where what a picture was drawn with lies. */
export const placesSchema = z.object({
  model: name,
  vae: name.optional(),
  adapter: name.optional(),
  photo: name.optional(),
  imageEncoder: name.optional(),
  loras: z.array(name).max(MOST_FILES),
  embeddings: z.array(name).max(MOST_FILES),
});
export type Places = z.output<typeof placesSchema>;

/** What prompts.json says of a picture besides: its record, with the places of what it was drawn with. */
export function drawnWith(record: PictureRecord | undefined, settings: GenerateSettings): object {
  if (record === undefined) return {};
  const { model, vae, adapter, photo, loras = [], embeddings = [] } = settings;
  const places = {
    model: resolve(model),
    ...(vae !== undefined && { vae: resolve(vae) }),
    ...(adapter !== undefined && { adapter: resolve(adapter) }),
    ...(photo !== undefined && { photo: resolve(photo.path), imageEncoder: resolve(photo.encoder) }),
    loras: loras.map(({ path }) => resolve(path)),
    embeddings: embeddings.map(({ path }) => resolve(path)),
  } satisfies Places;
  return { drawnWith: record, places };
}

/** Where pictures are drawn: on another machine their last bits differ. */
export function machineOf({
  threads,
  device,
  precision,
}: Pick<GenerateSettings, "threads" | "device" | "precision">): PictureRecord["machine"] {
  return {
    threads,
    ...(device !== undefined && { device }),
    ...(precision !== undefined && { precision }),
    engine: BACKENDS[device ?? "cpu"].version(),
    platform: `${process.platform} ${process.arch}`,
  };
}

/** "tiny", owner/name@commit, or the name of a folder or file. */
export function modelName(path: string): string {
  if (isEmbedded(path)) return EMBEDDED_MODEL;
  const snapshot = repoOfSnapshot(path);
  return snapshot === undefined ? basename(path) : `${snapshot.repo}@${snapshot.commit}`;
}

/** Of the weights of a model's own parts, wherever they lie: another VAE is no other model. */
export async function modelHash({ unet, ownVae, textEncoders }: StableDiffusion): Promise<string> {
  const files = [unet, ownVae, ...textEncoders].flatMap((part) => part.files);
  const lines: string[] = [];
  for (const { path } of files) lines.push(await fingerprint(path));
  return digest(lines);
}

/** Of a file, or of the weights in a folder. */
export async function pathHash(path: string): Promise<string> {
  if (!(await stat(path)).isDirectory()) return fingerprint(path);
  return digest(await describeFiles(path, /^(vae[\\/])?[^\\/]+\.safetensors$/));
}

function digest(lines: readonly string[]): string {
  return createHash("sha256").update(lines.join("\n")).digest("hex");
}
