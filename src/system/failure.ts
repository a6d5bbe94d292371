import { ModelError, UsageError, type Message } from "./errors.ts";
import { failureWith, messageOf } from "./message.ts";

/** Work was asked to stop before its end; what it had done is saved. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  constructor() {
    super("interrupted");
  }
}

/** An error on its way out of the engine's thread. */
export interface Failure {
  readonly kind: "failure";
  readonly name: string;
  readonly message: Message;
  readonly stack: string | undefined;
}

export function failureOf(error: unknown): Failure {
  const { name, stack } = error instanceof Error ? error : new Error(String(error));
  return { kind: "failure", name, message: messageOf(error), stack };
}

/** The error again, of its own kind. */
export function revive({ name, message, stack }: Failure): Error {
  const error = ofKind(name, message);
  if (stack !== undefined) error.stack = stack;
  return error;
}

function ofKind(name: string, message: Message): Error {
  switch (name) {
    case "UsageError":
      return new UsageError(message);
    case "ModelError":
      return new ModelError(message);
    case "Interrupted":
      return new Interrupted();
    default:
      return failureWith(message);
  }
}
