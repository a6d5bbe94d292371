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

/** `dog++` and `(a dog)1.2` of InvokeAI and its `.and()`; `{{dog}}` and `1.3::dog::` of NovelAI, `dog::2` of Midjourney. */
const WEIGHTS_OF_OTHERS: readonly RegExp[] = [
  /[^\s()]+(?:\+{2,}|-{2,})(?=\s|$)/,
  /\([^()]*\)(?:[+-]+|\d*\.?\d+)(?=[\s,]|$)/,
  /\)\.(?:and|blend|swap)\(/,
  /\{\{[^{}]*\}\}/,
  /-?\d+(?:\.\d+)?::|::-?\d+(?:\.\d+)?/,
];

/** Characters of no width that texts from web pages hold (Unicode's Cf and fillers), but for those that join the parts of an emoji or of a script. */
const UNSEEN = /[\u00AD\u115F\u1160\u180E\u200B\u200E\u200F\u202A-\u202E\u2060-\u206F\u3164\uFEFF\uFFF9-\uFFFB]/;

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
  seek(/\bembedding:\S+|<(?!lora|lyco|hypernet)[\w-]+:[^>]*>/i, LITERAL);
  if (!weights) {
    seek(/\([^()]*:\s*[+-]?[.\d]+\s*\)/, `${LITERAL}; prompt weights are off`);
    seek(/\(\([^()]*\)\)|\[\[[^[\]]*\]\]/, `${LITERAL}; prompt weights are off`);
    seek(/\bBREAK\b/, `${LITERAL}; prompt weights are off`);
    seek(/\\[()[\]]/, `${LITERAL}; prompt weights are off, and brackets are letters without it`);
  }
  for (const pattern of WEIGHTS_OF_OTHERS) seek(pattern, `${LITERAL}: weights of other programs`);
  seek(/\[[^[\]]*[:|][^[\]]*\]/, `${LITERAL}: what changes during drawing is not supported`);
  seek(/\{[^{}]*\|[^{}]*\}/, `${LITERAL}: none of the choices is taken`);
  seek(/\b__[\w./*-]+__/, `${LITERAL}: there are no wildcards`);
  seek(/\sAND\s/, LITERAL);
  seek(/\s--[a-z]+\b(?:\s+[\d.]+)?/i, `${LITERAL}: options of other programs' prompt files`);
  seek(/&(?:amp|quot|apos|nbsp|lt|gt|#\d+|#x[\da-f]+);/i, `${LITERAL}: it stands for a character on web pages alone`);
  const unseen = UNSEEN.exec(rest)?.[0];
  if (unseen !== undefined)
    found.push({
      found: `U+${unseen.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`,
      advice: "cannot be seen, but is read as a letter and divides words; type the prompt anew",
    });
  return found;
}
