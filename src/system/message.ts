import type { Message, NamedSetting } from "./named-setting.ts";

/** A setting for a message to name, with its value where it has one: `--lambda 2` on the command line, `lambda 2` for a program. @param name as people know it: lr, holdOut */
export function setting(name: string, value?: string | number): NamedSetting {
  return value === undefined ? { setting: name } : { setting: name, value: String(value) };
}

/**
 * A message with settings in it, or with other messages:
 *
 *     throw new UsageError(say`${setting("resolution", side)}: expected a multiple of ${factor}`);
 */
export function say(texts: TemplateStringsArray, ...values: readonly (Message | NamedSetting | number)[]): Message {
  return texts.flatMap((text, i) => (i === 0 ? text : [...partsOf(values[i - 1]), text]));
}

function partsOf(value: Message | NamedSetting | number): Exclude<Message, string> {
  if (typeof value !== "object") return [String(value)];
  return "setting" in value ? [value] : value;
}

const MOST_LETTERS = 2000;

/** A message as text, no longer than is good for anybody: messages quote what is wrong, and a file may hold a value of a million letters. @param nameOf what to call a setting */
export function textOf(message: Message, nameOf = (name: string) => name): string {
  const text = partsOf(message)
    .map((part) => {
      if (typeof part === "string") return part;
      return part.value === undefined ? nameOf(part.setting) : `${nameOf(part.setting)} ${part.value}`;
    })
    .join("");
  return text.length <= MOST_LETTERS
    ? text
    : `${text.slice(0, MOST_LETTERS)}... (${text.length - MOST_LETTERS} letters more)`;
}

/** Errors' messages that are more than their text. */
const messages = new WeakMap<Error, Message>();

/** Says of an error what its message was made of. @returns the error */
export function withMessage<E extends Error>(error: E, message: Message | undefined): E {
  if (typeof message === "object") messages.set(error, message);
  return error;
}

/** An error of no particular kind. */
export function failureWith(message: Message): Error {
  return withMessage(new Error(textOf(message)), message);
}

/** What an error says, its settings still apart from the text; of what is no error, its text. */
export function messageOf(error: unknown): Message {
  if (!(error instanceof Error)) return String(error);
  return messages.get(error) ?? error.message;
}
