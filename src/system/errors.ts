import { textOf, withMessage } from "./message.ts";
import type { Message } from "./named-setting.ts";

export type { Message, NamedSetting } from "./named-setting.ts";

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
