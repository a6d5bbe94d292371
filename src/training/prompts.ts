import { z } from "zod";
import { strayCharacter } from "../system/characters.ts";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { reasonOf } from "../system/files.ts";
import { ownJson } from "../system/own-json.ts";
import { linesOf, looksLikeJson } from "../system/lines-or-json.ts";
import { readText } from "../system/regular-files.ts";
import { MOST_CHARACTERS } from "../text/tokenizer.ts";
import { isLive, wasLive } from "./live-words.ts";
import { tidy, unknownWord, withoutIdentifier } from "./identifier.ts";
import { MOST_PROMPTS } from "../settings/limits.ts";

/** The prompts of a run, as templates with {token} and {class}. */
export interface PromptSet {
  /** L_sim's prompt. */
  readonly plain: string;
  /** The modifiers c_mod that negatives are drawn for. */
  readonly training: readonly Template[];
  /** What validation draws: the training prompts unless a file says otherwise. */
  readonly validation: readonly Template[];
}

/** A prompt with {token} and {class} in it. */
export interface Template {
  readonly text: string;
  /** Whether its pictures should look like the photos. Default true. */
  readonly likeness?: boolean | undefined;
}

/** One prompt with its words filled in. */
export interface Prompt {
  /** What the diffusion model reads: "a [V] dog on the Moon". */
  readonly text: string;
  /** What the reward reads, without the identifier: "a dog on the Moon". */
  readonly rewardText: string;
  /** Whether a picture of it should look like the photos: "a red dog" should not. */
  readonly likeness: boolean;
  /** Which of the run's subjects it is of, from 0, where there are several. */
  readonly subject?: number | undefined;
}

/** All prompts of a run; of several subjects those of one after the other. */
export interface RunPrompts {
  /** L_sim's, of several subjects that of the first. */
  readonly plain: Prompt;
  /** L_sim's of each subject, where there are several. */
  readonly plains?: readonly Prompt[] | undefined;
  /** The method's. */
  readonly training: readonly Prompt[];
  /** Of the evaluation set. */
  readonly validation: readonly Prompt[];
}

/** L_sim's prompts, of each subject one. */
export function plainPrompts({ plain, plains = [plain] }: Pick<RunPrompts, "plain" | "plains">): readonly Prompt[] {
  return plains;
}

const PLAIN = "a photo of {token} {class}";

/** The authors' training prompts (andrew-miao/RPO), word for word; those that repaint the subject are marked. */
const OBJECT_PROMPTS: readonly (string | Template)[] = [
  { text: "a {token} {class} in Vincent Van Gogh rendition", likeness: false },
  "a {token} {class} on the Moon",
  { text: "a green {token} {class}", likeness: false },
  "a {token} {class} with a China Great Wall in the background",
  "a {token} {class} on top of wooden roof",
  "a {token} {class} with the Statue of Liberty in the background",
  "a {token} {class} with a volcano in the background",
  "a {token} {class} on a subway platform",
];
const LIVE_PROMPTS: readonly (string | Template)[] = [
  "a {token} {class} wearing a green outfit",
  { text: "a {token} {class} in Vincent Van Gogh rendition", likeness: false },
  "a {token} {class} with a China Great Wall in the background",
  "a {token} {class} is swimming in a pool",
  "a {token} {class} on a subway platform",
  "a {token} {class} with the Statue of Liberty in the background",
  "a {token} {class} on the Moon",
  { text: "a green {token} {class}", likeness: false },
];

/** Prompts of those who wear outfits and swim, or of things. */
export type SubjectKind = "live" | "object";

/**
 * What a new run has to say of its subject's kind: what the user says, else what the class word tells, where that is another than in version
 * 0.1.0. A run that says nothing reads as it did then, so that it goes on with its own prompts.
 */
export function recordedKind(given: SubjectKind | undefined, className: string): SubjectKind | undefined {
  const kind = isLive(className) ? "live" : "object";
  return given ?? (isLive(className) === wasLive(className) ? undefined : kind);
}

/** What a run's subject is: as its settings say, else by its class word. */
export function subjectKind({
  subject,
  class: className,
}: {
  readonly subject?: SubjectKind | undefined;
  readonly class: string;
}): SubjectKind {
  return subject ?? (wasLive(className) ? "live" : "object");
}

export function defaultPrompts(kind: SubjectKind): PromptSet {
  const training = (kind === "live" ? LIVE_PROMPTS : OBJECT_PROMPTS).map(templateOf);
  return { plain: PLAIN, training, validation: training };
}

function templateOf(prompt: string | Template): Template {
  return typeof prompt === "string" ? { text: prompt } : prompt;
}

const anyWords = z
  .string('expected a prompt in quotes, or {"text": ..., "likeness": false}')
  .trim()
  .min(1, "a prompt is empty")
  .max(MOST_CHARACTERS, `a prompt has more than ${MOST_CHARACTERS} characters`)
  .refine((text) => text.includes("{class}"), { error: ({ input }) => `${JSON.stringify(input)} lacks {class}` });
const soundWords = anyWords
  .refine((text) => strayCharacter(text) === undefined, {
    error: ({ input }) => `${JSON.stringify(input)} holds ${strayCharacter(String(input)) ?? ""}`,
  })
  .refine((text) => unknownWord(text) === undefined, {
    error: ({ input }) =>
      `${JSON.stringify(input)}: there is no ${unknownWord(String(input))}, only {token} and {class}`,
  });

/** A list of prompts, or sections of them. */
function schemasOf(words: typeof anyWords) {
  const template = z.preprocess(
    (value) => (typeof value === "string" ? { text: value } : value),
    z.strictObject({ text: words, likeness: z.boolean().optional() }),
  );
  const list = z
    .array(template, "expected a list of prompts")
    .min(1, "expected at least one prompt")
    .max(MOST_PROMPTS, `expected at most ${MOST_PROMPTS} prompts`);
  return {
    list: list.transform((training) => ({ training })),
    sections: z.strictObject({ plain: words.optional(), training: list, validation: list.optional() }),
  };
}

const [anySchemas, soundSchemas] = [schemasOf(anyWords), schemasOf(soundWords)];

export interface ReadingPrompts {
  /** Whether a run began with them, perhaps by a version that looked at less: it goes on with what it read. Default: no. */
  readonly isBegun?: boolean;
}

/**
 * Reads prompts of one's own: a text file with one prompt a line, a JSON list, or {"training": [...], "validation": [...],
 * "plain": "..."}, where a prompt may be {"text": "...", "likeness": false}. Prompts hold {class}, and {token} where the identifier belongs.
 * @throws UsageError naming the file and what is wrong with it
 */
export async function readPrompts(path: string, { isBegun = false }: ReadingPrompts = {}): Promise<PromptSet> {
  const text = await readText(path).catch((error: unknown) => {
    throw new UsageError(say`${setting("prompts", path)}: ${reasonOf(error)}`);
  });
  const prompts =
    path.endsWith(".json") || looksLikeJson(text) ? ownJson(text, say`${setting("prompts", path)}`) : linesOf(text);
  const { list, sections } = isBegun ? anySchemas : soundSchemas;
  const parsed = (Array.isArray(prompts) ? list : sections).safeParse(prompts);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue.path
      .filter((part) => part !== "text")
      .map((part) => (typeof part === "number" ? `prompt ${part + 1}: ` : `${String(part)} `))
      .join("");
    throw new UsageError(
      say`${setting("prompts", path)}: ${where}${issue.message.slice(0, 200)} (expected prompts such as "a {token} {class} on the Moon")`,
    );
  }
  const {
    training,
    validation = training,
    plain = PLAIN,
  } = parsed.data as Partial<PromptSet> & Pick<PromptSet, "training">;
  return { plain, training, validation };
}

/** What a template's words are filled in with. */
export interface PromptWords {
  readonly token: string;
  readonly class: string;
  /** Whether the model reads the identifier without the class word behind it. Default: no. */
  readonly isTokenAlone?: boolean | undefined;
}

/**
 * A template as the model reads it: with its class word, but for a method whose identifier stands alone, "a [V] on the Moon". A class word
 * that no identifier stands before stays.
 */
export function fillText(template: string, { token, class: className, isTokenAlone = false }: PromptWords): string {
  const subject = isTokenAlone ? template.replaceAll(/\{token\}\s+\{class\}/g, "{token}") : template;
  return tidy(subject.replaceAll("{token}", () => token).replaceAll("{class}", () => className));
}

/** Fills in a template's words. The reward's text lacks the identifier, wherever it stands, also where it is written out. */
export function fillPrompt({ text: templateText, likeness = true }: Template, words: PromptWords): Prompt {
  const { token, class: className } = words;
  const named = (template: string) => tidy(template.replaceAll("{class}", () => className));
  const text = fillText(templateText, words);
  // before the class is named, which may hold the identifier's letters
  return { text, likeness, rewardText: named(withoutIdentifier(templateText.replaceAll("{token}", ""), token)) };
}
