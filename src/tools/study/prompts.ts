import { join } from "node:path";
import { embeddedFolder } from "../../checkpoints/embedded.ts";
import { QUESTIONS } from "../../exam/questions.ts";
import { readPrompts, type PromptSet } from "../../training/prompts.ts";
import { isLive, type ClassName } from "../../world/scene.ts";

/** The embedded model's own prompts, by which it trains and would choose. */
export function ownPrompts(className: ClassName): Promise<PromptSet> {
  return readPrompts(join(embeddedFolder("sd"), `prompts-${isLive(className) ? "live" : "object"}.json`));
}

/** What a study's trainings draw: the model's own validation prompts, and after them the exam's, which choose nothing. */
export function studyPrompts({ training, validation }: PromptSet): Omit<PromptSet, "plain"> {
  return { training, validation: [...validation, ...QUESTIONS.map(({ text }) => ({ text }))] };
}
