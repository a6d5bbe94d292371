import type { RunControl } from "../runs/events.ts";
import { textOf } from "../system/message.ts";
import type { Message } from "../system/named-setting.ts";

/** Tells each warning once, however often a look finds it again. */
export function warnOnce({ emit }: Pick<RunControl, "emit">): (text: Message) => void {
  const said = new Set<string>();
  return (text) => {
    const plain = textOf(text);
    if (!said.has(plain)) emit({ type: "warning", text });
    said.add(plain);
  };
}
