import { selectCheckpoint } from "../runs/selection.ts";
import { EXIT } from "./failure.ts";
import { parseTable, type GivenSettings } from "../settings/parse.ts";
import { SELECT } from "../settings/select.ts";

/** `rpo select`. @returns the exit code */
export async function selectCommand(
  run: string,
  given: GivenSettings,
  { json }: { readonly json: boolean },
): Promise<number> {
  const { lambda } = parseTable(SELECT, given);
  const { candidates, ...selection } = await selectCheckpoint(run, lambda);
  if (!selection.finished)
    process.stderr.write(`rpo: the run is not finished; training that goes on chooses again, for its own lambda\n`);
  if (json) {
    process.stdout.write(`${JSON.stringify({ ...selection, candidates })}\n`);
    return EXIT.done;
  }
  const lines = candidates.map(({ step, mean, standardError, alignI, alignT, available }) =>
    [
      step === selection.step ? "*" : " ",
      String(step).padStart(6),
      `${mean.toFixed(4)} ± ${standardError.toFixed(4)}`,
      alignI.toFixed(4),
      alignT.toFixed(4),
      available ? "" : "(not kept)",
    ].join("  "),
  );
  process.stdout.write(`     step  reward             ALIGN-I  ALIGN-T\n${lines.join("\n")}\n`);
  process.stdout.write(`lambda ${lambda}: ${selection.checkpoint ?? "the starting model"}, written to best.json\n`);
  return EXIT.done;
}
