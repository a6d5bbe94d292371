import { methodEntry } from "../settings/learning.ts";
import { MOST_PROMPTS } from "../settings/limits.ts";
import { isWordIn } from "../checkpoints/embeddings/embed.ts";
import { subjectsOf, type Concept } from "../settings/subjects.ts";
import type { TrainRequest } from "../settings/train-settings.ts";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import {
  defaultPrompts,
  fillPrompt,
  readPrompts,
  subjectKind,
  type Prompt,
  type ReadingPrompts,
  type RunPrompts,
  type Template,
} from "./prompts.ts";

/** The prompts of a run, with their words filled in: of several subjects each with the words of each. @throws UsageError naming their file */
export async function promptsOf(
  request: Pick<TrainRequest, "prompts" | "subject" | "class" | "token" | "method" | "concepts">,
  reading?: ReadingPrompts,
): Promise<RunPrompts> {
  const own = request.prompts === undefined ? undefined : await readPrompts(request.prompts, reading);
  if (request.concepts !== undefined && own !== undefined) checkWords(own, request.concepts, request.prompts ?? "");
  const { isTokenAlone } = methodEntry(request.method);
  const all = subjectsOf(request).map((subject, i, { length }) => {
    const set = own ?? defaultPrompts(subjectKind(subject));
    const fill = (template: Template): Prompt => {
      const prompt = fillPrompt(template, { ...subject, isTokenAlone });
      return length === 1 ? prompt : { ...prompt, subject: i };
    };
    return {
      plain: fill({ text: subject.plain ?? set.plain }),
      training: set.training.map(fill),
      validation: set.validation.map(fill),
    };
  });
  if (all.length === 1) return all[0];
  const [{ plain }] = all;
  const [training, validation] = [all.flatMap((each) => each.training), all.flatMap((each) => each.validation)];
  if (Math.max(training.length, validation.length) > MOST_PROMPTS)
    throw new UsageError(
      say`${setting("prompts", request.prompts ?? "")}: its prompts, for each of ${all.length} subjects, are more than ${MOST_PROMPTS}`,
    );
  return { plain, plains: all.map((each) => each.plain), training, validation };
}

/** Each prompt is drawn of each subject alone: with another's word in it, it would be of two, and the reward could not read that. @throws UsageError */
function checkWords(
  { plain, training, validation }: Awaited<ReturnType<typeof readPrompts>>,
  subjects: readonly Concept[],
  path: string,
): void {
  for (const { text } of [{ text: plain }, ...training, ...validation])
    for (const { token } of subjects)
      if (isWordIn(token, [text]))
        throw new UsageError(
          say`${setting("prompts", path)}: "${text}" holds ${token}, the word of one subject; each prompt is drawn for every subject: write {token} and {class}`,
        );
}
