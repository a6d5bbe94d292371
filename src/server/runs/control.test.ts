import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startRun } from "../../runs/config.ts";
import { REQUESTS } from "../../runs/requests.ts";
import { TRAIN_DEFAULTS } from "../../settings/train-settings.ts";
import { thisProcess } from "../../system/processes.ts";
import { askRun } from "./control.ts";

/** A run, as the page knows it. @param isJudged whether rpo judge made it @param isLive whether a process works there */
async function run({ isJudged, isLive }: { readonly isJudged: boolean; readonly isLive: boolean }) {
  const folder = await mkdtemp(join(tmpdir(), "rpo-control-"));
  const paths = { model: "/m", reward: "/r", images: "/photos", class: "dog", output: folder };
  const settings = { ...TRAIN_DEFAULTS, ...paths, learningRate: 1e-4, resolution: 64, threads: 1 };
  const versions = { rpo: "0", node: "v0", onnxruntime: "0", platform: "none" };
  await startRun(settings, { versions, hashes: {} }, isJudged ? { checkpoints: ["/loras"] } : undefined);
  if (isLive)
    await writeFile(join(folder, "lock.json"), JSON.stringify({ host: hostname(), ...(await thisProcess()) }));
  return { id: "a", name: "dog", root: folder, folder };
}

const ASKED = /^asked/;

test.each(REQUESTS)("%s is asked of a run that is trained, and of no other", async (ask) => {
  const live = await run({ isJudged: false, isLive: true });
  await askRun(live, ask);
  expect((await readdir(live.folder)).filter((name) => ASKED.test(name))).toHaveLength(1);
  const refused = [
    [await run({ isJudged: true, isLive: true }), "dog: rpo judge works on it; stop that where it was started"],
    [await run({ isJudged: true, isLive: false }), "dog: rpo judge made it, and nothing trains"],
    [await run({ isJudged: false, isLive: false }), "dog: nothing trains it now"],
  ] as const;
  for (const [other, message] of refused) {
    await expect(askRun(other, ask)).rejects.toMatchObject({ status: 409, message });
    expect((await readdir(other.folder)).filter((name) => ASKED.test(name))).toEqual([]);
  }
});
