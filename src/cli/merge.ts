import { checkAbsent, checkOutput } from "../commands/paths.ts";
import { resolveMerge } from "../commands/merge/resolve.ts";
import { runTask } from "../engine/host.ts";
import { MERGE } from "../settings/merge.ts";
import { parseTable, type GivenSettings } from "../settings/parse.ts";
import { EXIT } from "./failure.ts";
import { leaveOnInterrupt } from "./interrupt.ts";
import { createProgress } from "./progress.ts";
import { showWork } from "./show-work.ts";
import { terminal } from "./terminal.ts";

/** `rpo merge`. @returns the exit code */
export async function mergeCommand(
  folders: readonly string[],
  given: GivenSettings,
  { json }: { readonly json: boolean },
): Promise<number> {
  const wanted = parseTable(MERGE, given);
  await checkAbsent(wanted.output);
  await checkOutput(wanted.output);
  const settings = await resolveMerge(folders, wanted, terminal);
  const progress = createProgress();
  const interrupt = leaveOnInterrupt(() => progress.stop());
  try {
    const result = await runTask("merge", settings, {
      onEvent: showWork(progress, { json }),
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
