/** The caller asked for something that cannot be done as asked: flags, photos, prompts, an output folder in use. Exit code 2. */
export class UsageError extends Error {
  /** Tells the kinds of errors apart where classes cannot, as across threads. */
  override readonly name = "UsageError";

  constructor(message?: string, options?: ErrorOptions) {
    super(readable(message), options);
  }
}

/** A model's files are damaged, contradictory or of a kind that is not supported. Exit code 1. */
export class ModelError extends Error {
  /** Tells the kinds of errors apart where classes cannot, as across threads. */
  override readonly name = "ModelError";

  constructor(message?: string, options?: ErrorOptions) {
    super(readable(message), options);
  }
}

const MOST_LETTERS = 2000;

/** Messages quote what is wrong, and a file may hold a value of a million letters. */
function readable(message: string | undefined): string | undefined {
  if (message === undefined || message.length <= MOST_LETTERS) return message;
  return `${message.slice(0, MOST_LETTERS)}... (${message.length - MOST_LETTERS} letters more)`;
}
