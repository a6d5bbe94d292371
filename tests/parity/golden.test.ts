import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readCase } from "../../src/tools/parity/case.ts";
import { compareCase } from "../../src/tools/parity/compare.ts";
import { solvers } from "../../src/tools/parity/solvers.ts";

const golden = fileURLToPath(new URL("../golden/tiny/", import.meta.url));

for (const name of ["unet-sd15", "rpo-sd15-lora-modifier", "rpo-sd15-full-prompt"])
  test(`${name} equals PyTorch within its tolerance`, async () => {
    const parityCase = await readCase(`${golden}cases/${name}`, name, `${golden}checkpoints`);
    const { worst, error, tolerance } = compareCase(parityCase, await solvers[parityCase.kind](parityCase));
    expect(error, worst).toBeLessThanOrEqual(tolerance);
  });
