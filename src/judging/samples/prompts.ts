import { basename, dirname } from "node:path";
import { UsageError } from "../../system/errors.ts";
import { reasonOf } from "../../system/files.ts";
import { isRecord, parseOwnJson } from "../../system/json.ts";
import { linesOf, looksLikeJson } from "../../system/lines-or-json.ts";
import { say, setting } from "../../system/message.ts";
import { readText } from "../../system/regular-files.ts";
import { fillPrompt, type Prompt, type Template } from "../../training/prompts.ts";
import { withoutIdentifier } from "../../training/identifier.ts";
import { MOST_CHARACTERS } from "../../text/tokenizer.ts";
import type { SampleSets } from "./find.ts";
import { promptInPng } from "./png-text.ts";

/** The prompts of the pictures that a trainer drew. */

/**
 * Each prompt's text, with the words {token} and {class} filled in: from the trainer's own file of prompts, else from what lies beside or in
 * the pictures.
 * @param path of the file: a prompt a line, as sd-scripts has it, or JSON: a list, or an object by the trainer's names
 * @throws UsageError naming the prompt that is not known
 */
export async function samplePrompts(
  { sets, prompts }: SampleSets,
  {
    prompts: path,
    samples,
    ...words
  }: {
    readonly prompts?: string | undefined;
    readonly samples: string;
    readonly token: string;
    readonly class: string;
  },
): Promise<Prompt[]> {
  const known = path === undefined ? undefined : await readPromptFile(path);
  const found: Prompt[] = [];
  for (const [i, name] of prompts.entries()) {
    const picture = sets.at(0)?.pictures.find(({ prompt }) => prompt === name)?.path;
    const template = known === undefined ? textOnly(picture && (await promptBeside(picture))) : known(name, i);
    if (template === undefined || template.text === "")
      throw new UsageError(
        path === undefined
          ? say`${setting("samples", samples)}: nothing says what prompt ${name} is; name the trainer's file of prompts with ${setting("prompts")}`
          : say`${setting("prompts", path)}: no prompt ${name} in it, which the pictures in ${samples} have`,
      );
    const { text, likeness } = fillPrompt(template, words);
    found.push({ text, rewardText: withoutIdentifier(text, words.token), likeness });
  }
  return found;
}

type PromptFile = (name: string, place: number) => Template | undefined;

function textOnly(text: string | undefined): Template | undefined {
  return text === undefined || text === "" ? undefined : { text };
}

async function readPromptFile(path: string): Promise<PromptFile> {
  const refuse = (why: string) => new UsageError(say`${setting("prompts", path)}: ${why}`);
  const text = await readText(path).catch((error: unknown) => {
    throw refuse(reasonOf(error));
  });
  if (!looksLikeJson(text)) {
    const lines = linesOf(text)
      .filter((line) => !line.startsWith("#"))
      .map(withoutOptions);
    return (name, place) => textOnly(lines.at(/^\d+$/.test(name) ? Number(name) : place));
  }
  let value: unknown;
  try {
    value = parseOwnJson(text);
  } catch (error) {
    throw refuse(`not valid JSON: ${reasonOf(error)}`);
  }
  if (Array.isArray(value)) return (name, place) => promptOf(value.at(/^\d+$/.test(name) ? Number(name) : place));
  if (!isRecord(value)) throw refuse("expected a list of prompts, or an object of prompts by name");
  const { validation = value["training"] } = value;
  if (Array.isArray(validation))
    return (name, place) => promptOf(validation.at(/^\d+$/.test(name) ? Number(name) : place));
  return (name) => promptOf(value[name]);
}

/** Of sd-scripts, behind a prompt: " --n ugly --w 512 --d 42". */
function withoutOptions(line: string): string {
  return line.replace(/\s--[a-z]{1,3}\s.*$/, "").trim();
}

/** A prompt as text, or as an object with it; this program's own say whether its pictures should look like the photos. */
function promptOf(value: unknown): Template | undefined {
  const text = isRecord(value) ? (value["prompt"] ?? value["text"]) : value;
  if (typeof text !== "string") return undefined;
  const likeness = isRecord(value) && value["likeness"] === false ? false : undefined;
  return { text: text.trim().slice(0, MOST_CHARACTERS), likeness };
}

/** Letters of a prompt that OneTrainer leaves in a folder's name. */
const CUT = 32;

/** In a text file of the picture's name, in the picture, or in the name of OneTrainer's folder where it was not cut. */
async function promptBeside(picture: string): Promise<string | undefined> {
  const twin = await readText(picture.replace(/\.\w+$/, ".txt")).catch(() => undefined);
  if (twin !== undefined) return withoutOptions(twin.replace(/\s+/g, " ").trim());
  const inside = await promptInPng(picture);
  if (inside !== undefined) return inside;
  const folder = /^\d+ - (.+?)(?: - no-ema)?$/.exec(basename(dirname(picture)))?.[1];
  return folder !== undefined && folder.length < CUT ? folder : undefined;
}
