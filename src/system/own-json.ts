import { UsageError } from "./errors.ts";
import { reasonOf } from "./files.ts";
import { parseOwnJson } from "./json.ts";
import { say } from "./message.ts";
import type { Message } from "./named-setting.ts";

/** The value of a JSON text that a person wrote. @param what where it is from, for the message @throws UsageError saying what is wrong with it */
export function ownJson(text: string, what: Message): unknown {
  try {
    return parseOwnJson(text);
  } catch (error) {
    throw new UsageError(say`${what}: not valid JSON: ${reasonOf(error)}`, { cause: error });
  }
}
