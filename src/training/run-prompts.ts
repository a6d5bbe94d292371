import { methodEntry } from "../settings/learning.ts";
import type { TrainRequest } from "../settings/train-settings.ts";
import {
  defaultPrompts,
  fillPrompt,
  readPrompts,
  subjectKind,
  type ReadingPrompts,
  type RunPrompts,
  type Template,
} from "./prompts.ts";

/** The prompts of a run, with their words filled in. @throws UsageError naming their file */
export async function promptsOf(
  request: Pick<TrainRequest, "prompts" | "subject" | "class" | "token" | "method">,
  reading?: ReadingPrompts,
): Promise<RunPrompts> {
  const set =
    request.prompts === undefined ? defaultPrompts(subjectKind(request)) : await readPrompts(request.prompts, reading);
  const { isTokenAlone } = methodEntry(request.method);
  const fill = (template: Template) => fillPrompt(template, { ...request, isTokenAlone });
  return { plain: fill({ text: set.plain }), training: set.training.map(fill), validation: set.validation.map(fill) };
}
