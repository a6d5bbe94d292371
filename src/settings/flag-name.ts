import { messageOf, textOf } from "../system/message.ts";
import type { Message } from "../system/named-setting.ts";

/** loraAlpha -> --lora-alpha */
export function flagName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** What an error says on the command line, where settings are flags. */
export function inFlags(error: unknown): string {
  return messageInFlags(messageOf(error));
}

/** A message on the command line. */
export function messageInFlags(message: Message): string {
  return textOf(message, flagName);
}
