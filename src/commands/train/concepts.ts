import { realpath } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { isWordIn } from "../../checkpoints/embeddings/embed.ts";
import { listImages, listPhotosIn } from "../../images/folder.ts";
import { CONCEPT_FIELDS, MOST_CONCEPTS, RARE_WORDS } from "../../settings/concepts.ts";
import type { GivenSettings, Source } from "../../settings/parse.ts";
import { belongsTo, keyOf } from "../../settings/setting.ts";
import type { Concept } from "../../settings/subjects.ts";
import { TRAIN } from "../../settings/train.ts";
import { TRAIN_DEFAULTS } from "../../settings/train-settings.ts";
import { UsageError, type Message } from "../../system/errors.ts";
import { exists, reasonOf } from "../../system/files.ts";
import { isRecord } from "../../system/json.ts";
import { ownJson } from "../../system/own-json.ts";
import { messageOf, say, setting, textOf } from "../../system/message.ts";
import { readText } from "../../system/regular-files.ts";
import { normalizeClip } from "../../text/normalize.ts";
import { unknownWord } from "../../training/identifier.ts";
import { checkFolder } from "../paths.ts";
import { fromDiffusers, THEIR_NAMES } from "./diffusers-concepts.ts";

/** What --concepts names: several subjects, each with photos, a class and a word of its own. */

/** What is said for each subject, and so not for the training; a photo to hold out would be of one of them alone. */
const OF_EACH = ["images", "class", "token", "subject", "initializer", "classFolder", "holdOut"];

/** Settings as flags and a config file have them. */
export interface Given {
  readonly flags: GivenSettings;
  readonly config: GivenSettings;
}

/**
 * Settings with the subjects that a file or a list of them says, their folders absolute. Where one subject is expected they have the first.
 * @param options.isBegun whether a run goes on, whose photos need no longer be where they were
 * @throws UsageError naming the file, the subject and what is wrong
 */
export async function withConcepts(
  { flags, config }: Given,
  { isBegun = false }: { readonly isBegun?: boolean } = {},
): Promise<Given> {
  const sources: Source[] = [
    { given: flags, nameOf: setting },
    { given: config, nameOf: (name) => say`${setting("config")}: ${name}` },
  ];
  const source = sources.find(({ given }) => "concepts" in given);
  if (source === undefined) return { flags, config };
  const value = source.given["concepts"];
  const where = typeof value === "string" ? say`${setting("concepts", value)}` : say`${source.nameOf("concepts")}`;
  const { method = TRAIN_DEFAULTS.method } = { ...config, ...flags };
  if (!isBegun && !belongsTo(method, TRAIN.concepts))
    throw new UsageError(
      say`${where}: only ${setting("method", "custom")} learns several subjects at once, not ${String(method)}`,
    );
  const listed = await readConcepts(value, where);
  if (!isBegun) await checkPhotos(listed, where);
  const concepts = listed.map(({ concept }) => concept);
  const [first] = concepts;
  const own: GivenSettings = { images: first.images, class: first.class, token: first.token };
  for (const { given, nameOf } of sources)
    for (const [name, said] of Object.entries(given)) {
      const key = keyOf(TRAIN, name);
      // a run's config.json says the first subject's too
      const isSame = key in own && (key === "images" ? resolve(String(said)) : said) === own[key];
      if (OF_EACH.includes(key) && !isSame)
        throw new UsageError(
          say`${nameOf(name)} and ${setting("concepts")} do not go together: each subject has its own; leave it out`,
        );
    }
  const others = Object.fromEntries(Object.entries(config).filter(([name]) => name !== "concepts"));
  return { flags: { ...flags, ...own, concepts }, config: others };
}

/** A failure that says which subject it is of. */
function at(where: Message, index: number, problem: Message): UsageError {
  return new UsageError(say`${where}: subject ${index + 1}: ${problem}`);
}

/** A subject of a list. */
interface Listed {
  readonly concept: Concept;
  /** What the list calls a field: ours, or diffusers'. */
  readonly nameOf: (field: keyof Concept) => string;
}

async function readConcepts(value: unknown, where: Message): Promise<Listed[]> {
  const list = typeof value === "string" ? await readList(value, where) : value;
  const folder = typeof value === "string" ? dirname(resolve(value)) : process.cwd();
  if (!Array.isArray(list))
    throw new UsageError(
      say`${where}: expected a list of subjects, such as [{"images": "my-dog", "class": "dog"}, ...]`,
    );
  if (list.length < 2)
    throw new UsageError(
      say`${where}: ${list.length === 0 ? "no subject" : "one subject"} in it, expected two or more; one is trained with ${setting("images")} and ${setting("class")}`,
    );
  if (list.length > MOST_CONCEPTS)
    throw new UsageError(say`${where}: ${list.length} subjects, expected at most ${MOST_CONCEPTS}`);
  const listed = list.map((entry: unknown, i) => conceptOf(entry, i, { where, folder }));
  checkWords(listed, where);
  return listed;
}

async function readList(path: string, where: Message): Promise<unknown> {
  const text = await readText(path).catch((error: unknown) => {
    throw new UsageError(say`${where}: ${reasonOf(error)}`, { cause: error });
  });
  return ownJson(text, where);
}

/** A subject as a list has it, in our words or in those of diffusers' scripts. */
function conceptOf(
  entry: unknown,
  index: number,
  { where, folder }: { readonly where: Message; readonly folder: string },
): Listed {
  if (!isRecord(entry))
    throw at(
      where,
      index,
      `expected an object such as {"images": "my-dog", "class": "dog"}, not ${JSON.stringify(entry)}`,
    );
  let theirs: Record<string, unknown> | undefined;
  try {
    theirs = fromDiffusers(entry);
  } catch (error) {
    throw at(where, index, messageOf(error));
  }
  const nameOf: Listed["nameOf"] = (field) => (theirs && THEIR_NAMES[field]) ?? field;
  const read: Partial<Record<keyof Concept, string>> = {};
  for (const [name, value] of Object.entries(theirs ?? entry)) {
    if (value === undefined) continue; // as a library's options may be
    if (!isField(name))
      throw at(where, index, `${name}: no such field (expected ${Object.keys(CONCEPT_FIELDS).join(", ")})`);
    const parsed = CONCEPT_FIELDS[name].given.safeParse(value);
    if (!parsed.success)
      throw at(where, index, `${nameOf(name)} ${JSON.stringify(value)}: ${parsed.error.issues[0].message}`);
    read[name] = parsed.data;
  }
  const { images, class: className, token = `<new${index + 1}>`, subject, classFolder, initializer, plain } = read;
  for (const [name, value] of Object.entries({ images, class: className }))
    if (value === undefined) throw at(where, index, `${name} is missing`);
  if (initializer === undefined && index >= RARE_WORDS.length)
    throw at(
      where,
      index,
      `initializer is missing, a rare word that its own begins as: there are ${RARE_WORDS.length} of the authors', ${RARE_WORDS.join(", ")}`,
    );
  const problem = plain === undefined ? undefined : problemOfPlain(plain);
  const written = entry[nameOf("plain")];
  if (problem !== undefined) throw at(where, index, `${nameOf("plain")} ${JSON.stringify(written)}: ${problem}`);
  const concept: Concept = {
    images: resolve(folder, images ?? ""),
    class: className ?? "",
    token,
    ...(subject !== undefined && { subject: subject === "live" ? "live" : "object" }),
    ...(initializer !== undefined && { initializer }),
    ...(classFolder !== undefined && { classFolder: resolve(folder, classFolder) }),
    ...(plain !== undefined && { plain }),
  };
  return { concept, nameOf };
}

function isField(name: string): name is keyof Concept {
  return Object.hasOwn(CONCEPT_FIELDS, name);
}

function problemOfPlain(plain: string): string | undefined {
  const lacking = ["{token}", "{class}"].find((word) => !plain.includes(word));
  if (lacking !== undefined) return `it lacks ${lacking} (expected such as "a photo of a {token} {class}")`;
  const unknown = unknownWord(plain);
  return unknown === undefined ? undefined : `there is no ${unknown}, only {token} and {class}`;
}

/** @throws UsageError where two subjects have the same word, or one's is in what another is called */
function checkWords(listed: readonly Listed[], where: Message): void {
  const concepts = listed.map(({ concept }) => concept);
  const words = concepts.map(({ token }) => normalizeClip(token));
  const wordOf = (i: number) => `${listed[i].nameOf("token")}: ${concepts[i].token}`;
  const again = words.findIndex((word, i) => words.indexOf(word) < i);
  if (again >= 0)
    throw at(
      where,
      again,
      `${wordOf(again)} is that of subject ${words.indexOf(words[again]) + 1} too; each needs a word of its own`,
    );
  for (const [i, { token }] of concepts.entries()) {
    const other = concepts.findIndex(
      ({ class: className, plain = "" }, k) => k !== i && isWordIn(token, [className, plain]),
    );
    if (other >= 0)
      throw at(
        where,
        i,
        `${wordOf(i)} stands in the class or the prompt of subject ${other + 1}, which would be read as this one; choose another`,
      );
  }
}

/** What can be seen of the subjects' folders without reading a picture. @throws UsageError */
async function checkPhotos(listed: readonly Listed[], where: Message): Promise<void> {
  const places: string[] = [];
  for (const [i, { concept, nameOf }] of listed.entries()) {
    const { images, classFolder } = concept;
    try {
      await checkFolder(nameOf("images"), images, "a folder with pictures");
      await listPhotosIn(images, nameOf("images"));
      if (classFolder !== undefined) {
        await checkFolder(nameOf("classFolder"), classFolder, "a folder with pictures of the class");
        await listImages(classFolder, nameOf("classFolder"));
      }
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      // they are fields there, and no flags
      throw at(where, i, textOf(messageOf(error)));
    }
    places.push(await realpath(images));
    const same = places.indexOf(places[i]);
    if (same < i)
      throw at(where, i, `${nameOf("images")} ${images}: the photos of subject ${same + 1} too; each needs its own`);
  }
}

/**
 * The subjects of a run that goes on. Where they are given again they have to be what they were, and may have their folders in another place
 * where these are gone.
 * @param given as {@link withConcepts} reads them; undefined: not again
 * @throws UsageError naming the subject that is another
 */
export async function conceptsNow(
  given: unknown,
  saved: readonly Concept[] | undefined,
): Promise<readonly Concept[] | undefined> {
  if (given === undefined) return saved;
  const again = TRAIN.concepts.given.parse(given);
  const fail = (what: Message) =>
    new UsageError(say`${setting("resume")}: ${setting("concepts")}: ${what}; leave it out, or start a new run`);
  if (again.length !== saved?.length) throw fail(`${again.length} subjects, but the run has ${saved?.length ?? "one"}`);
  const found: Concept[] = [];
  for (const [i, { images, classFolder: folder, ...own }] of again.entries()) {
    const { images: formerImages, classFolder: formerFolder, ...former } = saved[i];
    const classFolder = folder ?? formerFolder; // not said again: as before
    for (const key of ["class", "token", "initializer", "plain", "subject"] as const)
      // what the run found out of the class word need not be said again
      if (own[key] !== former[key] && !(key === "subject" && own.subject === undefined))
        throw fail(`subject ${i + 1}: ${key} is ${shown(own[key])}, but the run has ${shown(former[key])}`);
    const places = [
      [images, formerImages],
      [classFolder, formerFolder],
    ];
    for (const [now, before] of places)
      if (now !== before && (before === undefined || (await exists(before))))
        throw fail(`subject ${i + 1}: ${now ?? "drawn pictures"} differs from the run's ${before ?? "drawn pictures"}`);
    found.push({ ...former, images, ...(classFolder !== undefined && { classFolder }) });
  }
  return found;
}

function shown(value: string | undefined): string {
  return value === undefined ? "left out" : JSON.stringify(value);
}

/** @throws UsageError where the photos of a subject of a run that goes on are gone */
export async function checkConceptsThere(concepts: readonly Concept[]): Promise<void> {
  for (const [i, { images }] of concepts.entries())
    if (!(await exists(images)))
      throw new UsageError(
        say`${setting("resume")}: the photos of subject ${i + 1} are no longer in ${images}; say where they are with ${setting("concepts")}`,
      );
}
