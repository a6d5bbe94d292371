import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isLive } from "../../training/live-words.ts";
import { listImages } from "../../images/folder.ts";
import { UsageError } from "../../system/errors.ts";
import { say, setting } from "../../system/message.ts";
import { reasonOf } from "../../system/files.ts";
import { everyLine } from "../../system/lines-or-json.ts";
import { readText } from "../../system/regular-files.ts";

/** A subject of a benchmark. */
export interface Subject {
  readonly name: string;
  /** The class word. */
  readonly class: string;
  /** The folder with its photos. */
  readonly folder: string;
  /** What is drawn of it: templates with {token} and {class}. */
  readonly prompts: readonly string[];
}

export const PROMPTS_FILE = "prompts_and_classes.txt";

/** What DreamBench's prompts_and_classes.txt holds. */
export interface PromptsAndClasses {
  readonly classes: ReadonlyMap<string, string>;
  /** Templates with {token} and {class}. */
  readonly prompts: { readonly object: readonly string[]; readonly live: readonly string[] };
}

/**
 * Parses prompts_and_classes.txt of google/dreambooth: a table of subjects and class words, then two Python lists of prompts.
 * @param name of the file, for messages
 * @throws UsageError naming the first line that is not of this form
 */
export function parsePromptsAndClasses(text: string, name: string): PromptsAndClasses {
  const lines = everyLine(text).map((line, i) => ({ text: line.trim(), number: i + 1 }));
  const filled = lines.filter((line) => line.text !== "");
  let at = 0;
  const fail = (expected: string): never => {
    const line = filled.at(at);
    const where =
      line === undefined ? `${name}: the file ends` : `${name}, line ${line.number}: "${line.text.slice(0, 60)}"`;
    throw new UsageError(`${where}: expected ${expected}`);
  };
  const expectLine = (wanted: string) => (filled.at(at)?.text === wanted ? at++ : fail(`"${wanted}"`));

  expectLine("Classes");
  expectLine("subject_name,class");
  const classes = new Map<string, string>();
  while (at < filled.length && filled[at].text !== "Prompts") {
    const [, subject, word] = /^([\w-]+),([\w -]+)$/.exec(filled[at].text) ?? fail('a line "subject,class word"');
    if (classes.has(subject)) fail(`each subject once, not ${subject} again`);
    classes.set(subject, word.trim());
    at++;
  }
  if (classes.size === 0) fail('a line "subject,class word"');
  expectLine("Prompts");
  const list = (title: string): string[] => {
    expectLine(title);
    expectLine("prompt_list = [");
    const prompts: string[] = [];
    for (; at < filled.length && filled[at].text !== "]"; at++) {
      const match = /^(['"])(.+)\1\.format\(unique_token, ?class_token\),?$/.exec(filled[at].text);
      if (match === null || !match[2].includes("{0}") || !match[2].includes("{1}"))
        return fail("'... {0} {1} ...'.format(unique_token, class_token)");
      prompts.push(match[2].replaceAll("{0}", "{token}").replaceAll("{1}", "{class}"));
    }
    if (prompts.length === 0) fail("a prompt");
    expectLine("]");
    return prompts;
  };
  const prompts = { object: list("Object Prompts"), live: list("Live Subject Prompts") };
  if (at < filled.length) fail("the end of the file");
  return { classes, prompts };
}

/**
 * The subjects of a folder laid out as google/dreambooth's: a folder of photos for each, and prompts_and_classes.txt.
 * @param wanted their names; by default all that have a folder
 * @throws UsageError on unknown subjects, subjects without photos, or a prompts file that does not parse
 */
export async function readDreamBench(data: string, wanted: readonly string[] | undefined): Promise<Subject[]> {
  const file = join(data, PROMPTS_FILE);
  const entries = await readdir(data, { withFileTypes: true }).catch((error: unknown) => {
    throw new UsageError(
      say`${setting("data", data)}: ${reasonOf(error)} (expected google/dreambooth's dataset folder)`,
    );
  });
  const text = await readText(file).catch((error: unknown) => {
    throw new UsageError(`${file}: ${reasonOf(error)} (expected google/dreambooth's file of prompts and class words)`);
  });
  const { classes, prompts } = parsePromptsAndClasses(text, file);
  const folders = new Set(entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name));
  const names = pickSubjects([...classes.keys()], wanted, file).filter(
    (name) => wanted !== undefined || folders.has(name),
  );
  if (names.length === 0)
    throw new UsageError(
      say`${setting("data", data)}: no folder of a subject in it (such as ${[...classes.keys()][0]})`,
    );
  const subjects: Subject[] = [];
  for (const name of names) {
    const folder = join(data, name);
    if (!folders.has(name)) throw new UsageError(`${folder}: no such folder (expected the photos of ${name})`);
    await listImages(folder);
    const word = classes.get(name) ?? name;
    subjects.push({ name, class: word, folder, prompts: prompts[isLive(word) ? "live" : "object"] });
  }
  return subjects;
}

/** The wanted ones of the known names, each once. @throws UsageError that lists the known ones */
export function pickSubjects(
  known: readonly string[],
  wanted: readonly string[] | undefined,
  source: string,
): string[] {
  const unknown = wanted?.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new UsageError(
      say`${setting("subjects", unknown)}: no such subject in ${source} (there are ${known.join(", ")})`,
    );
  return wanted === undefined ? [...known] : [...new Set(wanted)];
}

/** `count` of the prompts, spread evenly over their list, for its beginning is all places. */
export function spreadPrompts(prompts: readonly string[], count: number): string[] {
  const taken = Math.min(count, prompts.length);
  return Array.from({ length: taken }, (_, i) => prompts[Math.floor((i * prompts.length) / taken)]);
}
