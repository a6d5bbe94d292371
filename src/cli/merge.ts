import { checkOutput } from "../commands/paths.ts";
import { resolveMerge } from "../commands/merge/resolve.ts";
import { runTask } from "../engine/host.ts";
import { MERGE } from "../settings/merge.ts";
import { parseTable, type GivenSettings } from "../settings/parse.ts";
import { UsageError } from "../system/errors.ts";
import { exists } from "../system/files.ts";
import { say, setting } from "../system/message.ts";
import { EXIT } from "./failure.ts";
import { leaveOnInterrupt } from "./interrupt.ts";
import { createProgress } from "./progress.ts";
import { terminal } from "./terminal.ts";

/** `rpo merge`. @returns the exit code */
export async function mergeCommand(
  folders: readonly string[],
  given: GivenSettings,
  { json }: { readonly json: boolean },
): Promise<number> {
  const wanted = parseTable(MERGE, given);
  if (await exists(wanted.output))
    throw new UsageError(say`${setting("output", wanted.output)} exists; choose another`);
  await checkOutput(wanted.output);
  const settings = await resolveMerge(folders, wanted, terminal);
  const progress = createProgress();
  const interrupt = leaveOnInterrupt(() => progress.stop());
  try {
    const result = await runTask("merge", settings, {
      onEvent(event) {
        if (event.type === "progress") progress.update(event.phase, event.done, event.total);
        else if (event.type === "warning") progress.log(`warning: ${event.text}`);
        if (json && event.type === "warning") process.stdout.write(`${JSON.stringify(event)}\n`);
      },
    });
    progress.stop();
    const prompts = result.words.map((words) => `"${words}"`).join(" and ");
    process.stderr.write(`prompts say ${prompts}: rpo generate --adapter ${result.output} --model ${settings.model}\n`);
    process.stdout.write(json ? `${JSON.stringify({ type: "merge", ...result })}\n` : `${result.output}\n`);
    return EXIT.done;
  } finally {
    progress.stop();
    interrupt.release();
  }
}
