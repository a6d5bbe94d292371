import { flagName } from "../settings/flag-name.ts";
import type { WorkEvent } from "../system/work.ts";
import { worded } from "../system/worded.ts";
import type { Progress } from "./progress.ts";

/** Shows how far work is and what people should know of it; as JSON all but the progress is lines on stdout too. */
export function showWork(
  progress: Pick<Progress, "update" | "log">,
  { json }: { readonly json: boolean },
): (event: WorkEvent | { readonly type: "picture" }) => void {
  return (told) => {
    const event = worded(told, flagName);
    if (event.type === "progress") progress.update(event.phase, event.done, event.total);
    else if (event.type === "warning") progress.log(`warning: ${event.text}`);
    if (json && event.type !== "progress") process.stdout.write(`${JSON.stringify(event)}\n`);
  };
}
