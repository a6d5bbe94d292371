import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "../run/cli.ts";
import { IS_THOROUGH } from "../thorough.ts";
import type { Order, Outcome } from "./child.ts";
import { BOMBS } from "./bombs.ts";
import { openCases, type Cases } from "./process.ts";

/**
 * Small valid files with one change each, read as the program reads them: what comes out is finite numbers, or an error of wrong input in
 * one line that names the file. No other error, no hang, no growth of memory.
 *
 *     npx vitest run tests/fuzz                                 the cases of every test run
 *     RPO_FUZZ=600 npx vitest run tests/fuzz                    other cases for 600 seconds
 *     RPO_FUZZ_CASE="events/2/17" npx vitest run tests/fuzz     one case; its files are kept, and the test says where
 */

const CASES = IS_THOROUGH ? 20 : 8;
/** Of the cases of every run. */
const SEED = 1;
/** A case may decode a picture or load a model of a megabyte. */
const MOST_GROWTH = 300 * 2 ** 20;
const { RPO_FUZZ, RPO_FUZZ_CASE } = process.env;
const isEveryRun = RPO_FUZZ === undefined && RPO_FUZZ_CASE === undefined;

let cases: Cases;
beforeAll(async () => void (cases = await openCases()));
afterAll(() => cases.close());

/** Undefined where all is well. */
async function tried(order: Order): Promise<string | undefined> {
  const outcome = await cases.run(order);
  const problem = outcome.problem ?? problemOf(outcome);
  const name = `${order.target}/${order.seed}/${order.number ?? "valid"}`;
  return problem === undefined ? undefined : `${name} (${outcome.what}): ${problem}`;
}

function problemOf({ grownBytes }: Outcome): string | undefined {
  return grownBytes > MOST_GROWTH ? `memory grew by ${(grownBytes / 2 ** 20).toFixed(0)} MiB` : undefined;
}

test.runIf(isEveryRun).each(BOMBS)("$name is refused at once", async (bomb) => {
  const outcome = await cases.run({ ...bomb, seed: SEED });
  expect(outcome).toMatchObject({ problem: undefined, refused: true });
  expect(outcome.seconds).toBeLessThan(1);
  expect(outcome.grownBytes / 2 ** 20).toBeLessThan(200);
});

test.runIf(RPO_FUZZ_CASE !== undefined)("the one case is read or refused", async () => {
  const [target, seed, number] = (RPO_FUZZ_CASE ?? "").split("/");
  const keep = join(await temporaryFolder(), "case");
  const problem = await tried({
    target,
    seed: Number(seed),
    ...(number !== "valid" && { number: Number(number) }),
    keep,
  });
  expect(problem, keep).toBeUndefined();
});

test.runIf(isEveryRun)(
  "every damaged file is read to finite numbers or refused by name, in time and memory",
  async () => {
    const problems: string[] = [];
    for (const target of cases.targets) {
      const valid = await cases.run({ target, seed: SEED });
      if (valid.problem !== undefined || valid.refused)
        problems.push(`${target}: valid files are refused: ${valid.problem ?? ""}`);
      for (let number = 0; number < CASES; number++) {
        const problem = await tried({ target, seed: SEED, number });
        if (problem !== undefined) problems.push(problem);
      }
    }
    expect(problems).toEqual([]);
  },
  120_000,
);

test.runIf(RPO_FUZZ !== undefined)(
  `damaged files for ${RPO_FUZZ ?? ""} seconds`,
  async () => {
    const problems: string[] = [];
    const seed = Number(process.env["RPO_FUZZ_SEED"] ?? Date.now() % 1e6);
    const end = Date.now() + Number(RPO_FUZZ) * 1000;
    for (let number = 0; Date.now() < end; number++)
      for (const target of cases.targets) {
        const problem = await tried({ target, seed, number });
        if (problem !== undefined) problems.push(problem);
      }
    expect(problems).toEqual([]);
  },
  Number(RPO_FUZZ) * 1000 + 120_000,
);
