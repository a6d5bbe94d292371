import { execFileSync } from "node:child_process";
import { readdir, readFile, statfs } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openTensorBoardLog } from "../../src/tensorboard/log.ts";
import { readEventFolder } from "../../src/tensorboard/testing/read.ts";
import { openEventLog } from "../../src/runs/folder.ts";
import { TRAIN_DEFAULTS, type TrainRequest } from "../../src/settings/train-settings.ts";
import { trainByMethod } from "../../src/commands/train/run.ts";
import type { TrainResult } from "../../src/training/train.ts";
import { exists } from "../../src/system/files.ts";
import { eventsOf, makePhotos, MODEL, REWARD, temporaryFolder } from "./cli.ts";

/** Disks of a given size, in memory: only root on Linux may make them. */

const ENOUGH = 64 * 2 ** 20;
const mounted: string[] = [];

async function mountDisk(bytes: number): Promise<string> {
  const folder = await temporaryFolder();
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "rpo-test", folder], { stdio: "pipe" });
  mounted.push(folder);
  return folder;
}

function enlarge(disk: string): void {
  execFileSync("mount", ["-o", `remount,size=${ENOUGH}`, disk]);
}

afterAll(() => {
  for (const folder of mounted) execFileSync("umount", [folder]);
});

/** Why there can be no such disk here; undefined where there can. */
const reason = await mountDisk(ENOUGH).then(
  () => undefined,
  (error: unknown) => (error instanceof Error ? error.message.split("\n").slice(0, 2).join(" ") : String(error)),
);
if (reason !== undefined)
  process.stderr.write(`full-disk.test.ts is skipped: no disk can be mounted here: ${reason}\n`);

/** How often a disk becomes full: `RPO_FULL_DISKS=20 npx vitest run tests/run/full-disk.test.ts` for more moments. */
const DISKS = Number(process.env["RPO_FULL_DISKS"] ?? 4);

describe.skipIf(reason !== undefined)("a disk that becomes full", async () => {
  const photos = reason === undefined ? await makePhotos(2) : "";
  const request = (output: string): TrainRequest => ({
    ...TRAIN_DEFAULTS,
    model: MODEL,
    reward: REWARD,
    images: photos,
    class: "dog",
    output,
    learningRate: 1e-3,
    steps: 4,
    negatives: 1,
    validateEvery: 2,
    validationImages: 1,
    validationSteps: 1,
    earlyStopping: false,
    threads: 1,
  });
  const run = async (output: string, { resume }: { readonly resume: boolean }): Promise<TrainResult> => {
    const log = await openTensorBoardLog(output, { resume });
    const control = {
      emit: log.write.bind(log),
      signal: new AbortController().signal,
      confirm: () => Promise.resolve(true),
    };
    try {
      return await trainByMethod(request(output), { resume }, control);
    } finally {
      log.close();
    }
  };
  const lossesShown = async (output: string) =>
    (await readEventFolder(join(output, "tensorboard")))
      .filter(({ tag }) => tag === "loss/sim")
      .map(({ step }) => step);

  test(
    "ends the run with the file's name and why; with more space it goes on to the same end",
    { timeout: 60_000 * (1 + DISKS) },
    async () => {
      const disk = mounted[0];
      const whole = join(disk, "run");
      await run(whole, { resume: false });
      const { blocks, bfree, bsize } = await statfs(disk);
      const used = (blocks - bfree) * bsize;

      for (let i = 1; i <= DISKS; i++) {
        const small = await mountDisk(Math.round((used * i) / (DISKS + 1)));
        const broken = join(small, "run");
        const refusal = /^\/.*: cannot be written: no space is left on the disk$/;
        await expect(run(broken, { resume: false })).rejects.toThrow(refusal);
        enlarge(small);
        const { reason: end } = await run(broken, { resume: await exists(join(broken, "config.json")) });
        expect(end).toBe("steps");
        expect(await eventsOf(broken)).toEqual(await eventsOf(whole));
        expect(await lossesShown(broken)).toEqual([1, 2, 3, 4]);
        for (const step of await readdir(join(whole, "checkpoints")))
          for (const file of await readdir(join(whole, "checkpoints", step)))
            expect(await readFile(join(broken, "checkpoints", step, file))).toEqual(
              await readFile(join(whole, "checkpoints", step, file)),
            );
        const names = await readdir(broken, { recursive: true });
        expect(names.filter((name) => name.endsWith(".tmp"))).toEqual([]);
      }
    },
  );

  test("takes no half line into the log", async () => {
    const disk = await mountDisk(3 * 4096);
    const log = await openEventLog(disk, 0);
    const event = { type: "error", step: 1, message: "x".repeat(1000) } as const;
    const fill = async () => {
      for (;;) await log.append(event);
    };
    await expect(fill()).rejects.toThrow(/events\.jsonl: cannot be written: no space is left on the disk$/);
    await log.close();
    const text = await readFile(join(disk, "events.jsonl"), "utf8");
    expect(text.length).toBeGreaterThan(4096);
    expect(text.endsWith("}\n")).toBe(true);
  });
});
