import { messageOf, textOf } from "../system/message.ts";

/** loraAlpha -> --lora-alpha */
export function flagName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** What an error says on the command line, where settings are flags. */
export function inFlags(error: unknown): string {
  return textOf(messageOf(error), flagName);
}
