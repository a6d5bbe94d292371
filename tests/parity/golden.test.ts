import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { float32, type Tensor } from "../../src/tensor/tensor.ts";
import { kinds, readCase, type ParityCase } from "../../src/tools/parity/case.ts";
import { compareCase } from "../../src/tools/parity/compare.ts";
import { solvers } from "../../src/tools/parity/solvers.ts";

const folderOf = (set: string) => fileURLToPath(new URL(`../golden/${set}/`, import.meta.url));

/** Folders with checkpoints, and those with cases on them. */
const CHECKPOINTS = ["tiny", "parity"].map((set) => `${folderOf(set)}checkpoints`);
const CASES = ["tiny", "parity", "sdxl"].map((set) => `${folderOf(set)}cases`);

async function casesOf(folder: string): Promise<ParityCase[]> {
  const cases: ParityCase[] = [];
  for (const name of await readdir(folder)) {
    const read = (checkpoints: string) => readCase(join(folder, name), name, checkpoints);
    const checkpoint = String((await read(CHECKPOINTS[0])).settings["checkpoint"]);
    const home = CHECKPOINTS.find((checkpoints) => existsSync(join(checkpoints, checkpoint)));
    cases.push(await read(home ?? CHECKPOINTS[0]));
  }
  return cases;
}

const cases = (await Promise.all(CASES.map(casesOf))).flat();

test.each(cases)("$name equals PyTorch within its tolerance", async (parityCase) => {
  const { worst, error, tolerance } = compareCase(parityCase, await solvers[parityCase.kind](parityCase));
  expect(error, worst).toBeLessThanOrEqual(tolerance);
});

test("there is a case of every kind", () => {
  expect(new Set(cases.map(({ kind }) => kind))).toEqual(new Set(kinds));
});

test("a wrong, missing, misshapen or surplus answer fails", () => {
  const [parityCase] = cases.filter(({ kind }) => kind === "text");
  const answers = (change: (tensor: Tensor) => Tensor) =>
    new Map([...parityCase.expected].map(([name, tensor]) => [name, change(tensor)]));
  const passes = (actual: ReadonlyMap<string, Tensor>) => {
    const { error, tolerance } = compareCase(parityCase, actual);
    return error <= tolerance;
  };
  expect(passes(parityCase.expected)).toBe(true);
  expect(
    passes(
      answers(({ data, shape }) =>
        float32(
          Float32Array.from(data, (x) => x * 1.001),
          shape,
        ),
      ),
    ),
  ).toBe(false);
  expect(
    passes(
      answers(({ data, shape }) =>
        float32(
          Float32Array.from(data, () => NaN),
          shape,
        ),
      ),
    ),
  ).toBe(false);
  expect(passes(answers(({ data }) => float32(Float32Array.from(data))))).toBe(false);
  expect(passes(new Map())).toBe(false);
  expect(passes(new Map([...parityCase.expected, ["more", float32([1])]]))).toBe(false);
});
