import type { SamplerName } from "../../diffusion/create.ts";
import type { PictureRecord } from "./record-schema.ts";

/**
 * What A1111's web UI writes into its pictures under the key `parameters`, and what it, ComfyUI's and Civitai's readers and many others read:
 *
 *     prompt
 *     Negative prompt: what to steer away from
 *     Steps: 20, Sampler: DPM++ 2M, Schedule type: Uniform, CFG scale: 7.5, Seed: 7, Size: 512x512, Model: v1-5
 *
 * It has no word for a photo that is drawn with; that is written as an extension of it would write its own settings: Photo: room.png, ...
 *
 * Format and reader's pattern are modules/infotext_utils.py's and modules/processing.py's (create_infotext).
 */

const SAMPLERS: Readonly<Partial<Record<SamplerName, { readonly name: string; readonly schedule?: string }>>> = {
  dpm: { name: "DPM++ 2M", schedule: "Uniform" },
  euler: { name: "Euler", schedule: "Uniform" },
  ddim: { name: "DDIM" },
  pndm: { name: "PLMS" },
};

/** A record as that text. */
export function infotext(record: PictureRecord): string {
  const read = record.promptWeights === true ? (prompt: string) => prompt : withoutWeights;
  const { name: sampler, schedule } = SAMPLERS[record.sampler as SamplerName] ?? { name: record.sampler };
  const loras = [
    ...(record.adapter === undefined ? [] : [{ name: record.adapter.name, weight: 1 }]),
    ...record.loras,
  ].map(({ name, weight }) => `<lora:${name.replace(/\.safetensors$/, "")}:${weight}>`);
  const values: Record<string, string | number | undefined> = {
    Steps: record.steps,
    Sampler: sampler,
    "Schedule type": schedule,
    "CFG scale": record.guidance,
    Seed: record.seed,
    Size: `${record.width}x${record.height}`,
    Model: record.model.name.replace(/\.safetensors$/, ""),
    Photo: record.photo?.name,
    "Photo weight": record.photo?.weight,
    "Text weight": record.photo?.textWeight,
    Version: `rpo ${record.version}`,
  };
  return [
    [read(record.prompt), ...loras].join(" "),
    ...(record.negative === undefined ? [] : [`Negative prompt: ${read(record.negative)}`]),
    Object.entries(values)
      .flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${quoted(String(value))}`]))
      .join(", "),
  ].join("\n");
}

/** Brackets that are letters here are weights there. */
function withoutWeights(prompt: string): string {
  return prompt.replace(/[\\()[\]]/g, "\\$&");
}

/** As its `quote`. */
function quoted(value: string): string {
  return /[,\n:]/.test(value) ? JSON.stringify(value) : value;
}

/** What such a text says that is a setting here. */
export interface Parameters {
  readonly prompt: string;
  readonly negative: string | undefined;
  /** By the settings' names, as text: they are checked as flags are. */
  readonly values: Readonly<Record<string, string>>;
  /** The model's name. */
  readonly model: string | undefined;
  /** What else it says, and is not taken. */
  readonly others: readonly string[];
}

const PAIR = /\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)/g;

/** Longer lines of settings no program writes, and the pattern takes long for some. */
const MOST_LETTERS = 20_000;

/** Reads such a text as that program does; undefined for one that has no line of settings. */
export function parseInfotext(text: string): Parameters | undefined {
  const lines = text.trim().split("\n");
  const last = lines.pop() ?? "";
  const pairs = last.length > MOST_LETTERS ? [] : [...last.matchAll(PAIR)];
  if (pairs.length < 3) return undefined;
  const found = new Map(pairs.map(([, key, value]) => [key.trim(), unquoted(value.trim())]));
  const at = lines.findIndex((line) => line.trim().startsWith("Negative prompt:"));
  const [prompt, negative] = at < 0 ? [lines, []] : [lines.slice(0, at), lines.slice(at)];
  const joined = (some: readonly string[]) =>
    some
      .map((line) => line.trim())
      .join("\n")
      .trim();
  const take = (key: string): string | undefined => {
    const value = found.get(key);
    found.delete(key);
    return value;
  };
  const [, width, height] = /^(\d+)x(\d+)$/.exec(take("Size") ?? "") ?? [];
  const [, called, schedule] = /^(.*?)(?: (Karras|Exponential))?$/.exec(found.get("Sampler") ?? "") ?? [];
  const sampler = Object.entries(SAMPLERS).find(([, { name }]) => name === called)?.[0];
  if (sampler !== undefined) {
    take("Sampler");
    // before version 1.9 the sampler's name had the schedule in it
    if (schedule !== undefined) found.set("Schedule type", schedule);
  }
  const model = take("Model");
  const values = { steps: take("Steps"), guidance: take("CFG scale"), seed: take("Seed"), sampler, width, height };
  return {
    prompt: joined(prompt),
    negative: at < 0 ? undefined : joined(negative).replace(/^Negative prompt:\s*/, ""),
    values: Object.fromEntries(
      Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== undefined),
    ),
    model,
    others: [...found].map(([key, value]) => `${key}: ${value}`),
  };
}

function unquoted(value: string): string {
  if (!/^".*"$/s.test(value)) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}
