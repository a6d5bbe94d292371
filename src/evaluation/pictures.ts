import { basename, join } from "node:path";
import { z } from "zod";
import { listImages } from "../images/folder.ts";
import { strayCharacter } from "../system/characters.ts";
import { UsageError, type Message } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { reasonOf } from "../system/files.ts";
import { ownJson } from "../system/own-json.ts";
import { linesOf, looksLikeJson } from "../system/lines-or-json.ts";
import { readText } from "../system/regular-files.ts";
import { tidy, withoutIdentifier } from "../training/identifier.ts";
import { MOST_CHARACTERS } from "../text/tokenizer.ts";

/** A picture to judge. */
export interface Picture {
  /** Its name in the folder. */
  readonly file: string;
  readonly path: string;
  /** As it was drawn from, the identifier in it. */
  readonly prompt: string;
  /** What judges read: the prompt without the identifier. */
  readonly text: string;
}

export interface PicturesOptions {
  readonly folder: string;
  /** A file with the prompts; absent: the folder's prompts.json, as `rpo generate` writes it. */
  readonly prompts?: string | undefined;
  /** The identifier, which no judge may see. */
  readonly token: string;
  /** What {class} in prompts stands for. */
  readonly class?: string | undefined;
}

const promptText = z.string().regex(/\S/).max(MOST_CHARACTERS);

/** prompts.json of `rpo generate`, or with bare texts. */
const byFile = z.record(
  z.string(),
  z.union([
    promptText.transform((prompt) => ({ prompt })),
    z.looseObject({ prompt: promptText }).transform(({ prompt }) => ({ prompt })),
  ]),
);
const byNumber = z.array(promptText).min(1);

/**
 * The pictures of a folder with their prompts.
 *
 * Prompts come from an object {"<file>": "<prompt>"} or {"<file>": {"prompt": ...}}, or from a list (JSON, or a text file with one
 * a line) for pictures whose names begin with the prompt's number, as in `03-17.png`. {token} and {class} are filled in.
 *
 * @throws UsageError naming the picture without a prompt, or what is wrong with the file
 */
export async function readPictures(options: PicturesOptions): Promise<Picture[]> {
  const paths = await listImages(options.folder, "images");
  const file = options.prompts ?? join(options.folder, "prompts.json");
  const what = options.prompts === undefined ? file : say`${setting("prompts", file)}`;
  const promptOf = await readPromptFile(file, what);
  return paths.map((path) => {
    const name = basename(path);
    const template = promptOf(name);
    if (template === undefined) throw new UsageError(`${path}: ${file} has no prompt for this picture`);
    const stray = strayCharacter(template);
    if (stray !== undefined)
      throw new UsageError(say`${what}: the prompt ${JSON.stringify(template)} of ${name} holds ${stray}`);
    const filled = template.replaceAll("{token}", () => options.token);
    if (filled.includes("{class}") && options.class === undefined)
      throw new UsageError(say`${what}: the prompt "${template}" needs ${setting("class")}`);
    const prompt = tidy(filled.replaceAll("{class}", () => options.class ?? ""));
    return { file: name, path, prompt, text: withoutIdentifier(prompt, options.token) };
  });
}

/** @param what the file in messages: its path alone where nobody named it */
async function readPromptFile(file: string, what: Message): Promise<(name: string) => string | undefined> {
  const text = await readText(file).catch((error: unknown) => {
    const hint =
      what === file ? say`; give ${setting("prompts")} FILE for pictures that rpo generate did not draw` : "";
    throw new UsageError(say`${what}: ${reasonOf(error)}${hint}`);
  });
  const prompts = file.endsWith(".json") || looksLikeJson(text) ? parse(what, text) : linesOf(text);
  if (!Array.isArray(prompts)) {
    // macOS writes names decomposed, other systems composed
    const composed = new Map(Object.entries(prompts).map(([name, { prompt }]) => [name.normalize("NFC"), prompt]));
    return (name) => (Object.hasOwn(prompts, name) ? prompts[name].prompt : composed.get(name.normalize("NFC")));
  }
  const list: readonly string[] = prompts;
  if (list.length === 0) throw new UsageError(say`${what}: no prompt in it`);
  return (name) => {
    const number = /^(\d+)(?=\D)/.exec(name)?.[1];
    return number === undefined ? undefined : list[Number(number)];
  };
}

function parse(what: Message, text: string): z.output<typeof byFile | typeof byNumber> {
  const parsed = z.union([byFile, byNumber]).safeParse(ownJson(text, what));
  if (parsed.success) return parsed.data;
  throw new UsageError(
    say`${what}: expected {"<file>": "<prompt>"} or a list of prompts, none of them empty or of more than ${MOST_CHARACTERS} characters`,
  );
}
