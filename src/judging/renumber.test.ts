import { cp, mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ValidationEvent } from "../runs/events.ts";
import { checkpointPath, readEvents, validationImagePath } from "../runs/folder.ts";
import { readJudged, writeJudged } from "../runs/judged.ts";
import { openJudgedLog } from "./judged-log.ts";
import { renumber } from "./renumber.ts";

const start = { type: "start", time: "2026-01-01T00:00:00.000Z", version: "0", photos: [] } as const;
const settings = (output: string) => ({ output, lambda: 1, rewardForm: "harmonic" }) as const;
const nameOf = (step: number) => `/out/${step}.safetensors`;

function validation(step: number): ValidationEvent {
  const image = validationImagePath(step, 0, 0);
  const images = [{ prompt: "a dog", promptIndex: 0, index: 0, seed: 0, alignI: step / 100, alignT: 0.5, image }];
  return { type: "validation", step, lambda: 1, reward: 0.5, standardError: 0, images };
}

/** A run that has judged steps 0, 6 and 8, whose pictures and files say which they were. */
async function runOf(): Promise<string> {
  const run = await mkdtemp(join(tmpdir(), "rpo-renumber-"));
  await mkdir(join(run, "images"));
  const log = openJudgedLog(settings(run), []);
  await log.begin(start, undefined);
  for (const step of [0, 6, 8]) {
    await log.put(validation(step));
    await writeFile(join(run, validationImagePath(step, 0, 0)), `${step}`);
    if (step > 0) await writeJudged(run, { step, path: nameOf(step), kind: "lora", files: { [nameOf(step)]: "x" } });
  }
  return run;
}

/** What a run says of each step: which one its figures, its picture and its file were of. */
async function said(run: string) {
  const validations = (await readEvents(run)).filter((event) => event.type === "validation");
  return Promise.all(
    validations.map(async ({ step, images: [{ alignI, image }] }) => {
      const file = await readJudged(join(run, checkpointPath(step)));
      return [step, Math.round(alignI * 100), await readFile(join(run, image), "utf8"), file?.path];
    }),
  );
}
const were = (step: number, former: number) => [step, former, `${former}`, former === 0 ? undefined : nameOf(former)];

interface Moves {
  readonly name: string;
  readonly moves: readonly (readonly [from: number, to: number])[];
}

test.each<Moves>([
  {
    name: "a chain",
    moves: [
      [6, 8],
      [8, 10],
    ],
  },
  {
    name: "two that change places",
    moves: [
      [6, 8],
      [8, 6],
    ],
  },
])(
  "$name of moves takes figures, pictures and files along, killed before any writing of the log too",
  async ({ moves }) => {
    const run = await runOf();
    const log = openJudgedLog(settings(run), await readEvents(run));
    const before: string[] = [];
    const watched = {
      get validations() {
        return log.validations;
      },
      async renumber(each: ReadonlyMap<number, number>) {
        const copy = await mkdtemp(join(tmpdir(), "rpo-renumber-"));
        await cp(run, copy, { recursive: true });
        before.push(copy);
        await log.renumber(each);
      },
    };
    expect([...(await renumber(run, new Map(moves), watched))]).toEqual(moves);
    const to = new Map<number, number>(moves);
    const wanted = [0, 6, 8].map((step) => were(to.get(step) ?? step, step)).sort(([a], [b]) => Number(a) - Number(b));
    expect(await said(run)).toEqual(wanted);
    expect(before.length).toBeGreaterThanOrEqual(2);
    // in each state that a kill can leave, every step's figures, picture and file are of one
    for (const copy of before) {
      const states = await said(copy);
      for (const [, figures, picture, file] of states)
        expect([picture, file ?? nameOf(0)]).toEqual([`${figures}`, nameOf(Number(figures))]);
      expect(states.map(([, figures]) => figures).sort()).toEqual([0, 6, 8]);
    }
  },
);

test("a move onto a step that stays is left out, and pictures that a stop left are not taken for those that come", async () => {
  const run = await runOf();
  const log = openJudgedLog(settings(run), await readEvents(run));
  expect([...(await renumber(run, new Map([[6, 8]]), log))]).toEqual([]);
  await writeFile(join(run, validationImagePath(10, 0, 1)), "of another");
  await renumber(run, new Map([[8, 10]]), log);
  expect(await said(run)).toEqual([were(0, 0), were(6, 6), were(10, 8)]);
  await expect(readFile(join(run, validationImagePath(10, 0, 1)))).rejects.toThrow("ENOENT");
});
