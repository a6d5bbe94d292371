import { runTask } from "../engine/host.ts";
import { UsageError } from "../system/errors.ts";
import { exists } from "../system/files.ts";
import { terminal } from "./terminal.ts";
import { EXIT } from "./failure.ts";
import { parseTable, type GivenSettings } from "../settings/parse.ts";
import { EXPORT } from "../settings/export.ts";
import { checkOutput } from "../commands/paths.ts";
import { findSource } from "../commands/source.ts";
import { leaveOnInterrupt } from "./interrupt.ts";
import { createProgress } from "./progress.ts";

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
    if (await exists(output)) throw new UsageError(`--output ${output} exists; choose another`);
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
      onEvent(event) {
        if (event.type === "progress") progress.update(event.phase, event.done, event.total);
        else if (event.type === "warning") progress.log(`warning: ${event.text}`);
        if (json && event.type === "warning") process.stdout.write(`${JSON.stringify(event)}\n`);
      },
    });
    progress.stop();
    process.stdout.write(json ? `${JSON.stringify({ type: "export", ...result })}\n` : `${result.output}\n`);
    return EXIT.done;
  } finally {
    progress.stop();
    interrupt.release();
  }
}
