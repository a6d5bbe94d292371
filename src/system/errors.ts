import { textOf, withMessage } from "./message.ts";

/** A setting in a message. */
export interface NamedSetting {
  /** Its name, such as `lr`. */
  readonly setting: string;
  /** What it is set to, where the message says it. */
  readonly value?: string;
}

/** What an error says. Settings in it are data: they are options of a program, and flags on the command line. */
export type Message = string | readonly (string | NamedSetting)[];

/** The caller asked for something that cannot be done as asked: flags, photos, prompts, an output folder in use. Exit code 2. */
export class UsageError extends Error {
  /** Tells the kinds of errors apart where classes cannot, as across threads. */
  override readonly name = "UsageError";

  constructor(message?: Message, options?: ErrorOptions) {
    super(message && textOf(message), options);
    withMessage(this, message);
  }
}

/** A model's files are damaged, contradictory or of a kind that is not supported. Exit code 1. */
export class ModelError extends Error {
  /** Tells the kinds of errors apart where classes cannot, as across threads. */
  override readonly name = "ModelError";

  constructor(message?: Message, options?: ErrorOptions) {
    super(message && textOf(message), options);
    withMessage(this, message);
  }
}
