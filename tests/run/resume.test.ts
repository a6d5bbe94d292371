import { writeFileSync } from "node:fs";
import { appendFile, cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { CostEstimate } from "../../src/runs/events.ts";
import { readBest } from "../../src/runs/best.ts";
import { selectCheckpoint } from "../../src/runs/selection.ts";
import type { TrainRequest } from "../../src/settings/train-settings.ts";
import { eventsOf, makePhotos, temporaryFolder } from "./cli.ts";
import { atStep, runHere, shortRequest } from "./in-process.ts";

/** What happens to a run between its parts, in this process: kills are run.test.ts's. */

const photos = await makePhotos(2);
const PROMPTS = ["a {token} {class} on the Moon", "a green {token} {class}"];
const prompts = join(await temporaryFolder(), "prompts.txt");
await writeFile(prompts, PROMPTS.join("\n"));

const newRequest = (more: Partial<TrainRequest> = {}) => shortRequest(photos, { prompts, ...more });
const jsonOf = async (request: TrainRequest, file: string): Promise<unknown> =>
  JSON.parse(await readFile(join(request.output, file), "utf8"));

let stoppedEstimate: CostEstimate | undefined;
let stoppedRun = "";
beforeAll(async () => {
  const request = await newRequest();
  const { reason, estimate } = await runHere(request, { until: atStep(3) });
  expect(reason).toBe("interrupted");
  [stoppedRun, stoppedEstimate] = [request.output, estimate];
}, 120_000);

/** A run of 4 steps that was stopped after the third. */
async function stopped(): Promise<TrainRequest> {
  const request = await newRequest();
  await cp(stoppedRun, request.output, { recursive: true });
  return request;
}

test("what was selected in between is used until the run goes on, which ends with its own choice", async () => {
  const [whole, parts] = [await newRequest(), await stopped()];
  await runHere(whole);
  for (const lambda of [0, 1]) {
    const { step, checkpoint, finished } = await selectCheckpoint(parts.output, { lambda });
    expect(finished).toBe(false);
    expect(await jsonOf(parts, "best.json")).toMatchObject({ lambda, step });
    expect(await readBest(parts.output)).toBe(checkpoint === null ? undefined : join(parts.output, checkpoint));
  }
  // going on, it is stopped again in its last validation
  expect((await runHere(parts, { resume: true, until: atStep(4) })).reason).toBe("interrupted");
  expect(await jsonOf(parts, "best.json")).toMatchObject({ lambda: 0.5 });
  await runHere(parts, { resume: true });
  expect(await jsonOf(parts, "best.json")).toEqual(await jsonOf(whole, "best.json"));

  // a finished run keeps what is selected then
  await selectCheckpoint(parts.output, { lambda: 1 });
  expect((await runHere(parts, { resume: true })).reason).toBe("finished-before");
  expect(await jsonOf(parts, "best.json")).toMatchObject({ lambda: 1 });
});

test("what is selected while the last steps are trained gives way at the end", async () => {
  const request = await stopped();
  const selected = JSON.stringify({ lambda: 0.1, step: 0, reward: 9, checkpoint: null });
  await runHere(request, {
    resume: true,
    until(event) {
      // after the last choice, before the end
      if (event.type === "stop") writeFileSync(join(request.output, "best.json"), selected);
      return false;
    },
  });
  expect(await jsonOf(request, "best.json")).toMatchObject({ lambda: 0.5 });
});

test("the cost of what is left is told, negatives that are missing included", async () => {
  // a negative for each prompt; validations at 0, 2 and 4
  expect(stoppedEstimate).toMatchObject({ steps: 4, pictures: PROMPTS.length + 3 * PROMPTS.length });
  const request = await stopped();
  const { image } = (await eventsOf(request.output)).find(
    (event): event is { image: string } => (event as { type: string }).type === "starting-picture",
  ) ?? { image: "" };
  await rm(join(request.output, image));
  const { estimate } = await runHere(request, { resume: true });
  expect(estimate).toMatchObject({ steps: 1, pictures: 1 + PROMPTS.length });
});

test("prompts that have changed since are refused before long work", async () => {
  const request = await stopped();
  await appendFile(prompts, "\na {token} {class} in the snow");
  const phases = new Set<string>();
  const resumed = runHere(request, {
    resume: true,
    until: (event) => event.type === "progress" && phases.add(event.phase).size === 0,
  });
  await expect(resumed).rejects.toThrow(`${prompts}: changed since the run in ${request.output} began`);
  expect(phases).toEqual(new Set(["loading"]));
  await writeFile(prompts, PROMPTS.join("\n"));
});

test("a log that lost events which the state knows is refused", async () => {
  const request = await stopped();
  await writeFile(join(request.output, "events.jsonl"), "");
  await expect(runHere(request, { resume: true })).rejects.toThrow(/events\.jsonl: expected \d+ bytes or more/);
});

test.each([{ sampler: "ddim" }, { guidance: 1 }] as const)(
  "pictures are drawn with %o, which config.json records",
  async (more) => {
    const request = await newRequest({ preference: false, ...more });
    await runHere(request, { until: (event) => event.type === "validation" });
    expect(await jsonOf(request, "config.json")).toMatchObject({ sampler: "dpm", guidance: 7.5, ...more });
    const picture = (folder: string) => readFile(join(folder, "images/validation-000000-00-0.png"));
    expect(await picture(request.output)).not.toEqual(await picture(stoppedRun));
  },
);
