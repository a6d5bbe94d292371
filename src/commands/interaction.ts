import type { WantedModel } from "../hub/fetch-models.ts";
import type { Message } from "../system/named-setting.ts";

/** How a command reaches whoever makes the request: a person at a terminal, or a program that uses the library. */
export interface Interaction {
  /** Brings models from the hub, showing how far that is. @returns their folders, in the order of `wanted` */
  fetch(wanted: readonly WantedModel[]): Promise<string[]>;
  /** A line to know about, where nothing is wrong. */
  warn(line: Message): void;
}
