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
  const { candidates, ...selection } = await selectCheckpoint(run, parseTable(SELECT, given));
  if (!selection.finished)
    process.stderr.write(`rpo: the run is not finished; training that goes on chooses again, for its own lambda\n`);
  if (json) {
    process.stdout.write(`${JSON.stringify({ ...selection, candidates })}\n`);
    return EXIT.done;
  }
  const hasProgress = candidates.some(({ likeness }) => likeness !== undefined);
  const lines = candidates.map(({ step, mean, standardError, alignI, alignT, likeness, obedience, available }) =>
    [
      step === selection.step ? "*" : " ",
      String(step).padStart(6),
      `${mean.toFixed(4)} ± ${standardError.toFixed(4)}`,
      alignI.toFixed(4),
      alignT.toFixed(4),
      ...(hasProgress ? [likeness?.toFixed(2).padStart(8) ?? "", obedience?.toFixed(2).padStart(9) ?? ""] : []),
      available ? "" : "(not there)",
    ].join("  "),
  );
  const progress = hasProgress ? "  likeness  obedience" : "";
  process.stdout.write(`     step  reward             ALIGN-I  ALIGN-T${progress}\n${lines.join("\n")}\n`);
  process.stdout.write(
    `lambda ${selection.lambda}, ${selection.form} reward: ${selection.file ?? selection.checkpoint ?? "the starting model"}, written to best.json\n`,
  );
  return EXIT.done;
}
