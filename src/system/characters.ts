/** Characters that no prompt has, wherever it was typed or stored: what reads it would be trained on, or drawn from, something else than was meant. */
const STRAY: readonly (readonly [pattern: RegExp, what: (code: string) => string])[] = [
  // a pair is one character with the flag u
  [/\p{Cs}/u, (code) => `half of a character (${code} without its other half)`],
  [/\uFFFD/u, (code) => `${code}, which stands for a character that was lost: its text was read in a wrong encoding`],
  [/[\uFFFE\uFFFF]/u, (code) => `${code}, which is no character: its text was read in a wrong encoding`],
  // white space is none of them: \t \n \v \f \r and U+0085
  [/[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]/u, (code) => `the control character ${code}`],
];

/** What a text holds that no text of words does, in words that follow "it holds"; undefined for a text as it should be. */
export function strayCharacter(text: string): string | undefined {
  for (const [pattern, what] of STRAY) {
    const found = pattern.exec(text)?.[0].codePointAt(0);
    if (found !== undefined) return what(`U+${found.toString(16).toUpperCase().padStart(4, "0")}`);
  }
  return undefined;
}
