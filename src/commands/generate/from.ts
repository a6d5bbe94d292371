import { basename, dirname, extname, join } from "node:path";
import { z } from "zod";
import { EMBEDDED_MODEL } from "../../checkpoints/embedded.ts";
import { describeOther, kindOf } from "../../images/kinds.ts";
import { textsOf } from "../../images/png-text.ts";
import { GENERATE } from "../../settings/generate.ts";
import { parseSources, parseTable, type GivenSettings } from "../../settings/parse.ts";
import { UsageError, type Message } from "../../system/errors.ts";
import { exists, readJson, reasonOf } from "../../system/files.ts";
import { parseJson } from "../../system/json.ts";
import { say, setting } from "../../system/message.ts";
import { oneLine } from "../../system/printable.ts";
import { MOST_BYTES, readBytes } from "../../system/regular-files.ts";
import { parseInfotext } from "./infotext.ts";
import { PARAMETERS_KEY, pathHash, placesSchema, RECORD_KEY, type Places } from "./record.ts";
import { recordSchema, type PictureRecord } from "./record-schema.ts";

/** What a picture says of how it was drawn, as settings. */
export interface FromPicture {
  /** Settings by their keys, not checked yet: the picture may be anybody's. */
  readonly values: GivenSettings;
  /** What rpo wrote; of other programs' pictures there is none. */
  readonly record: PictureRecord | undefined;
  /** What lies elsewhere, by the settings that say where: of several files all, for the setting takes them together. */
  readonly missing: Missing;
  /** What to say of it: lines for people. */
  readonly notes: readonly string[];
}

type Missing = Readonly<
  Partial<Record<"model" | "vae" | "adapter" | "photo" | "imageEncoder" | "lora" | "embedding", readonly string[]>>
>;

/**
 * Reads how a picture was drawn, out of its own texts.
 * @throws UsageError when it is no PNG, says nothing that can be read, or what it says is damaged
 */
export async function readFrom(path: string): Promise<FromPicture> {
  const fail = (what: Message) => new UsageError(say`${setting("from", path)}: ${what}`);
  const bytes = await readBytes(path, { atMost: MOST_BYTES.picture }).catch((error: unknown) => {
    throw fail(reasonOf(error));
  });
  const kind = kindOf(bytes);
  if (kind !== "png")
    throw fail(
      `expected a PNG that says how it was drawn, but it is ${kind === undefined ? describeOther(bytes, extname(path)) : `a picture of the kind ${kind.toUpperCase()}`}`,
    );
  let texts: ReadonlyMap<string, string>;
  try {
    texts = textsOf(bytes);
  } catch (error) {
    throw fail(reasonOf(error));
  }
  const own = texts.get(RECORD_KEY);
  if (own !== undefined) {
    const record = parseRecord(own);
    if (record === undefined) throw fail(`what it says of how it was drawn is damaged, or of another version of rpo`);
    return fromRecord(record, (await placesOf(path, record)) ?? undefined);
  }
  const parameters = texts.get(PARAMETERS_KEY);
  const foreign = parameters === undefined ? undefined : parseInfotext(parameters);
  if (foreign !== undefined) return fromForeign(path, foreign);
  const other = OTHERS.find(([key, pattern]) => pattern.test(texts.get(key) ?? ""));
  throw fail(
    other === undefined
      ? "it says nothing of how it was drawn: it was saved anew by a program that leaves that out, or was never drawn"
      : say`${other[2]} are not read; give ${setting("prompt")} and what else is to be as there`,
  );
}

/** Settings that say which picture is drawn: with one of them it is another than the recorded one, and drawn by itself. */
const DECISIVE = [
  "prompt",
  "number",
  "seed",
  "negative",
  "promptWeights",
  "height",
  "width",
  "photoWeight",
  "textWeight",
];

/** A photo may only be said to lie elsewhere now. */
async function isOtherPhoto({ photo }: GivenSettings, record: PictureRecord | undefined): Promise<boolean> {
  if (typeof photo !== "string") return false;
  return (await pathHash(photo).catch(() => undefined)) !== record?.photo?.hash;
}

/** Settings with those of a picture, over which they win. */
export interface Merged {
  readonly settings: ReturnType<typeof parseTable<typeof GENERATE>>;
  readonly record: PictureRecord | undefined;
  /** The picture with those that it was drawn with, unless another one is asked for. */
  readonly redraw: PictureRecord["batch"] | undefined;
  readonly notes: readonly string[];
}

/** The settings of `rpo generate`, with those of the picture that --from names. @throws UsageError as {@link readFrom}, and when what it was drawn with is not here */
export async function mergeFrom(given: GivenSettings): Promise<Merged> {
  const { from } = given;
  if (typeof from !== "string")
    return { settings: parseTable(GENERATE, given), record: undefined, redraw: undefined, notes: [] };
  const { values, record, missing, notes } = await readFrom(from);
  const lacking = Object.entries(missing).filter(([key]) => !(key in given));
  if (lacking.length > 0) throw new UsageError(say`${setting("from", from)}: drawn ${whereAre(lacking)}`);
  const settings = parseSources(GENERATE, [
    { given, nameOf: setting },
    { given: values, nameOf: (name) => say`${setting("from", from)}: its ${name}` },
  ]);
  const isOther = Object.keys(given).some((key) => DECISIVE.includes(key)) || (await isOtherPhoto(given, record));
  return { settings, record, redraw: isOther ? undefined : record?.batch, notes };
}

/** "with my model; say where it is with --model" @param missing names by settings, one or more */
function whereAre(missing: readonly (readonly [key: string, names: readonly string[]])[]): Message {
  return missing
    .map(([key, names]) => {
      const shown = oneLine(names.join(" and "), MOST_SHOWN);
      const [they, order] = names.length === 1 ? ["it is", ""] : ["they are", ", in this order"];
      return say`with ${shown}; say where ${they} with ${setting(key)}${order}`;
    })
    .reduce((all, each) => say`${all}; and ${each}`);
}

/** Other programs' ways to say it, by the keyword and what its text looks like. */
const OTHERS: readonly (readonly [key: string, pattern: RegExp, what: string])[] = [
  ["prompt", /^\s*\{/, "ComfyUI's workflows"],
  ["workflow", /^\s*\{/, "ComfyUI's workflows"],
  ["invokeai_metadata", /./, "InvokeAI's settings"],
  ["sd-metadata", /./, "InvokeAI's settings"],
  ["invokeai_graph", /./, "InvokeAI's settings"],
  ["Dream", /./, "InvokeAI's settings"],
  ["Software", /^NovelAI/, "NovelAI's settings"],
  ["fooocus_scheme", /./, "Fooocus' settings"],
  [PARAMETERS_KEY, /"sui_image_params"/, "SwarmUI's settings"],
  ["XML:com.adobe.xmp", /Draw ?Things/, "Draw Things' settings"],
  ["num_inference_steps", /./, "Easy Diffusion's settings"],
  [PARAMETERS_KEY, /./, "the settings that it has, which are not in A1111's form,"],
];

function parseRecord(text: string): PictureRecord | undefined {
  try {
    return recordSchema.parse(parseJson(text));
  } catch {
    return undefined;
  }
}

const listed = z.looseObject({ drawnWith: recordSchema, places: placesSchema });

/** Where what a picture was drawn with lies, by the prompts.json beside it; undefined where that is not there or not of this picture. */
async function placesOf(path: string, record: PictureRecord): Promise<Places | undefined> {
  const content = await readJson(join(dirname(path), "prompts.json"), UsageError).catch(() => undefined);
  const entry = z.record(z.string(), z.unknown()).safeParse(content).data?.[basename(path)];
  const found = listed.safeParse(entry).data;
  return found !== undefined && JSON.stringify(found.drawnWith) === JSON.stringify(record) ? found.places : undefined;
}

async function fromRecord(record: PictureRecord, places: Places | undefined): Promise<FromPicture> {
  const { prompt, negative, promptWeights, seed, sampler, steps, guidance, height, width, variant, machine } = record;
  const missing: Record<string, readonly string[]> = {};
  const placeOf = async (key: string, { name }: Named, place: string | undefined): Promise<string | undefined> => {
    if (place !== undefined && !NETWORK.test(place) && (await exists(place))) return place;
    missing[key] = [name];
    return undefined;
  };
  const placesOfAll = async (key: string, files: readonly NamedFile[], at: readonly string[] = []) => {
    const paths: string[] = [];
    for (const [i, file] of files.entries()) {
      const path = await placeOf(key, file, at.at(i));
      if (path !== undefined) paths.push(path);
    }
    // a setting that is given takes the place of all of them
    if (paths.length < files.length) missing[key] = files.map(asGiven);
    return paths;
  };
  const { model, vae, adapter, photo, loras, embeddings } = record;
  const modelOf = async (key: "model" | "vae" | "imageEncoder", of: Named, place: string | undefined) =>
    PLACED.test(of.name) || of.name === EMBEDDED_MODEL ? of.name : placeOf(key, of, place);
  const found = {
    model: await modelOf("model", model, places?.model),
    vae: vae && (await modelOf("vae", vae, places?.vae)),
    adapter: adapter && (await placeOf("adapter", adapter, places?.adapter)),
    photo: photo && (await placeOf("photo", photo, places?.photo)),
    photoWeight: photo?.weight,
    textWeight: photo?.textWeight,
    imageEncoder: photo && (await modelOf("imageEncoder", photo.encoder, places?.imageEncoder)),
  };
  const lora = await placesOfAll("lora", loras, places?.loras);
  const embedding = await placesOfAll("embedding", embeddings, places?.embeddings);
  const values = {
    ...found,
    variant,
    prediction: record.prediction,
    lora: lora.map((path, i) => `${path}:${loras[i].weight}`),
    embedding: embedding.map((path, i) => [path, embeddings[i].word].filter((part) => part !== undefined).join(":")),
    ...{ prompt: [prompt], number: 1, negative, promptWeights, seed, sampler, steps, guidance, height, width },
    threads: machine.threads,
    device: machine.device,
    precision: machine.precision,
  };
  return { values: givenOnly(values), record, missing, notes: [] };
}

interface Named {
  readonly name: string;
}

interface NamedFile extends Named {
  readonly weight?: number;
  readonly word?: string | undefined;
}

/** FILE:WEIGHT or FILE:WORD, where these are not what goes without saying. */
function asGiven({ name, weight, word }: NamedFile): string {
  const more = weight === 1 ? word : (weight ?? word);
  return more === undefined ? name : `${name}:${more}`;
}

/** owner/name@commit, which is where anybody finds it. */
const PLACED = /^[\w.-]+\/[\w.-]+@[0-9a-f]{40}$/;

/** A place on another machine: one is not asked for it on the word of a file. */
const NETWORK = /^[\\/]{2}/;

const MOST_SHOWN = 200;

function fromForeign(
  path: string,
  { prompt, negative, values, model, others }: NonNullable<ReturnType<typeof parseInfotext>>,
): FromPicture {
  const left = others.length === 0 ? "" : `; not taken: ${oneLine(others.join(", "), MOST_SHOWN)}`;
  return {
    // its brackets are weights
    values: givenOnly({ prompt: [prompt], negative, promptWeights: true, number: 1, ...values }),
    record: undefined,
    missing: { model: [model ?? "a model that it does not name"] },
    notes: [`${path}: drawn by another program, so that the picture will be another${left}`],
  };
}

function givenOnly(values: Readonly<Record<string, unknown>>): GivenSettings {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
