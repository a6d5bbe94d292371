import { evalPrompts } from "./prompts.ts";
import { isLive } from "./scene.ts";
import { SUBJECTS, type Subject } from "./subjects.ts";

/** The miniature benchmark's subjects: the demo's, and held-out instances of the other classes. */
export const TINYBENCH: readonly Subject[] = [
  ...SUBJECTS,
  { name: "vase", className: "vase", seed: 1_000_003, description: "lime with a dark patch and a blue flower" },
  { name: "can", className: "can", seed: 1_000_005, description: "green with red zigzags and a blue disc" },
  { name: "clock", className: "clock", seed: 1_000_002, description: "purple and mint checks with green bells" },
  { name: "candle", className: "candle", seed: 1_000_004, description: "lilac on a turquoise plate" },
];

/** What is drawn of a subject: 25 templates with {token} and {class}. */
export function tinybenchPrompts({ className }: Subject): string[] {
  return evalPrompts(isLive(className) ? "live" : "object").map(({ text }) => text);
}
