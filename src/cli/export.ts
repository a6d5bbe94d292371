import { runTask } from "../engine/host.ts";
import { UsageError } from "../system/errors.ts";
import { exists } from "../system/files.ts";
import { terminal } from "./terminal.ts";
import { EXIT } from "./failure.ts";
import { parseTable, type GivenSettings } from "../settings/parse.ts";
import { EXPORT } from "../settings/export.ts";
import { checkAbsent, checkOutput } from "../commands/paths.ts";
import { findSource } from "../commands/source.ts";
import { leaveOnInterrupt } from "./interrupt.ts";
import { createProgress } from "./progress.ts";
import { showWork } from "./show-work.ts";

/** `rpo export`. @returns the exit code */
export async function exportCommand(
  source: string,
  given: GivenSettings,
  { json }: { readonly json: boolean },
): Promise<number> {
  const { model, output, dtype, ...rest } = parseTable(EXPORT, given);
  if (!(await exists(source)))
    throw new UsageError(`${source}: no such folder (expected a run's folder, or a checkpoint in it)`);
  if (output !== undefined) {
    if (rest.format === "kohya" && !output.endsWith(".safetensors"))
      throw new UsageError(`--output ${output}: expected a file's name that ends in .safetensors for --format kohya`);
    await checkAbsent(output);
    await checkOutput(output);
  }
  const found = await findSource({ model, adapter: source }, terminal);
  const progress = createProgress();
  const interrupt = leaveOnInterrupt(() => progress.stop());
  try {
    const settings = {
      ...rest,
      ...found,
      source,
      output,
      dtype: dtype === "f16" ? "F16" : "F32",
    } as const;
    const result = await runTask("export", settings, {
      onEvent: showWork(progress, { json }),
    });
    progress.stop();
    process.stdout.write(json ? `${JSON.stringify({ type: "export", ...result })}\n` : `${result.output}\n`);
    return EXIT.done;
  } finally {
    progress.stop();
    interrupt.release();
  }
}
