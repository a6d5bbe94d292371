import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { writeSafetensors } from "../../tensor/safetensors.ts";
import { readCase } from "./case.ts";
import { compareCase } from "./compare.ts";
import { solvers } from "./solvers.ts";

/**
 * `npm run parity -- CASES CHECKPOINTS`: answers every case folder in CASES, writes actual.safetensors beside what PyTorch expected,
 * and prints a line a case.
 */
async function main(cases: string, checkpoints: string): Promise<number> {
  let failures = 0;
  const names = (await readdir(cases, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  for (const name of names.sort()) {
    const parityCase = await readCase(join(cases, name), name, checkpoints);
    const actual = await solvers[parityCase.kind](parityCase);
    await writeSafetensors(
      join(cases, name, "actual.safetensors"),
      [...actual].map(([key, tensor]) => ({ name: key, tensor })),
    );
    const { worst, error, tolerance } = compareCase(parityCase, actual);
    const passed = error <= tolerance;
    if (!passed) failures++;
    process.stdout.write(
      `${passed ? "ok  " : "FAIL"} ${name.padEnd(28)} ${error.toExponential(1)} of ${tolerance.toExponential(0)}  ${worst}\n`,
    );
  }
  return failures === 0 ? 0 : 1;
}

const [cases, checkpoints] = process.argv.slice(2);
if (cases === undefined || checkpoints === undefined) {
  process.stderr.write("usage: npm run parity -- CASES CHECKPOINTS\n");
  process.exitCode = 2;
} else {
  process.exitCode = await main(cases, checkpoints);
}
