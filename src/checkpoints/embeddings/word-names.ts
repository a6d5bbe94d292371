/** Words that one training may learn, and have files of. */
export const MOST_WORDS = 16;

/** The file of one of several words, numbered from 1, with its vectors for one of the text encoders, from 0. */
export function numberedWordFile(number: number, encoder: number): string {
  return `word-${number}${encoder === 0 ? "" : `_${encoder + 1}`}.safetensors`;
}

/** The files that a training of several words may have; the first is there where any are. */
export const NUMBERED_WORD_FILES: readonly string[] = Array.from({ length: MOST_WORDS }, (_, i) => [
  numberedWordFile(i + 1, 0),
  numberedWordFile(i + 1, 1),
]).flat();
