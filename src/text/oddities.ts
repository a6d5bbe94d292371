/** What prompts hold that means something to other programs and is words to this one. */
export interface Oddity {
  /** As it stands in the prompt. */
  readonly found: string;
  /** In words that follow it. */
  readonly advice: string;
}

/** What a prompt is read with. */
export interface PromptUse {
  /** The identifier. */
  readonly token: string;
  /** Whether (word:1.4) is a weight. */
  readonly weights?: boolean | undefined;
  /** Whether {token} and {class} have been filled in. */
  readonly isFilled?: boolean | undefined;
}

const LITERAL = "is read as words";

/** What is odd in a prompt, each kind once. */
export function odditiesOf(prompt: string, { token, weights = false, isFilled = false }: PromptUse): Oddity[] {
  // the identifier may have brackets of its own
  const rest = prompt.replaceAll(token, " ");
  const found: Oddity[] = [];
  const seek = (pattern: RegExp, advice: string, text = rest) => {
    const match = pattern.exec(text)?.[0];
    if (match !== undefined) found.push({ found: match.trim(), advice });
  };
  if (!isFilled)
    seek(/\{(?:token|class)\}/, `${LITERAL} here; write the identifier (${token}) and the class word`, prompt);
  seek(/<(?:lora|lyco|hypernet):[^>]*>/i, `${LITERAL}; a LoRA is added by its file (lora FILE:WEIGHT)`);
  seek(/\bembedding:\S+/i, LITERAL);
  if (!weights) {
    seek(/\([^()]*:\s*[+-]?[.\d]+\s*\)/, `${LITERAL}; prompt weights are off`);
    seek(/\(\([^()]*\)\)|\[\[[^[\]]*\]\]/, `${LITERAL}; prompt weights are off`);
    seek(/\bBREAK\b/, `${LITERAL}; prompt weights are off`);
  }
  seek(/[^\s()]+(?:\+{2,}|-{2,})(?=\s|$)/, LITERAL);
  seek(/\[[^[\]]*[:|][^[\]]*\]/, `${LITERAL}: what changes during drawing is not supported`);
  seek(/\{[^{}]*\|[^{}]*\}/, `${LITERAL}: none of the choices is taken`);
  seek(/\b__[\w./*-]+__/, `${LITERAL}: there are no wildcards`);
  seek(/\sAND\s/, LITERAL);
  seek(/\s--[a-z]+\b(?:\s+[\d.]+)?/i, `${LITERAL}: options of other programs' prompt files`);
  return found;
}
