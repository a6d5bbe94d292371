import { createHash } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { configHash } from "../../src/runs/config.ts";
import { readEvents } from "../../src/runs/folder.ts";
import { openState, rewriteState } from "../../src/runs/state.ts";
import type { TrainRequest } from "../../src/settings/train-settings.ts";
import { IS_THOROUGH } from "../thorough.ts";
import { makePhotos, temporaryFolder } from "./cli.ts";
import { atStep, runHere, shortRequest } from "./in-process.ts";
import { textOf } from "../../src/system/message.ts";

/** The loss that rules of stopping watch is the one that trains: with the photos' captions and masks. */

const prompts = join(await temporaryFolder(), "prompts.json");
const CAPTION = "a {token} {class} asleep on a couch";
const promptsWith = async (plain: string) => {
  const training = ["a {token} {class} on the Moon"];
  await writeFile(prompts, JSON.stringify({ training, plain }));
};

const RULES = ["variance", "held-out"] as const;

describe.each(RULES)("%s", (stop) => {
  /** Each is tried with one of the rules; with both by RPO_TESTS=all. */
  const tried = (index: number) => test.runIf(IS_THOROUGH || index % 2 === RULES.indexOf(stop));

  /** What is measured of one photo by a model that hardly trains. */
  const measured = async (images: string, more: Partial<TrainRequest> = {}): Promise<number> => {
    const request = await shortRequest(images, {
      ...{ prompts, method: "preserve", learningRate: 1e-30, steps: 1, validateEvery: 1, earlyStopping: true },
      ...{ stop, stopEvery: 1, ...(stop === "held-out" && { holdOut: "1.jpg" }) },
      ...more,
    });
    await runHere(request);
    const [step] = (await readEvents(request.output)).filter((event) => event.type === "step");
    return step.curves[stop === "variance" ? "fixed" : "heldOut"];
  };
  /** Two photos; by variance both are watched, else the second. */
  const watched = stop === "variance" ? ["0", "1"] : ["1"];
  const photos = async () => {
    const folder = await makePhotos(2);
    const beside = async (end: string, write: (path: string) => Promise<unknown>) => {
      for (const name of watched) await write(join(folder, name + end));
    };
    return { folder, beside };
  };

  tried(0)("a caption is what the photo is read with", async () => {
    const { folder, beside } = await photos();
    await promptsWith("a photo of {token} {class}");
    const plain = await measured(folder);
    await promptsWith(CAPTION);
    const expected = await measured(folder);
    await promptsWith("a photo of {token} {class}");
    await beside(".txt", (path) => writeFile(path, CAPTION));
    expect(await measured(folder, { captions: "auto" })).toBeCloseTo(expected, 6);
    expect(Math.abs(expected - plain)).toBeGreaterThan(1e-5);
    await beside(".txt", (path) => rm(path));
    expect(await measured(folder, { captions: "auto" })).toBeCloseTo(plain, 6);
  });

  tried(1)(
    "a run that was begun when captions were not watched, and odd words in them were taken, goes on so",
    async () => {
      const { folder, beside } = await photos();
      await promptsWith("a photo of {token} {class}");
      const plain = await measured(folder);
      await beside(".txt", (path) => writeFile(path, CAPTION));
      const request = await shortRequest(folder, {
        ...{ prompts, method: "preserve", learningRate: 1e-30, steps: 2, validateEvery: 1, earlyStopping: true },
        ...{ stop, stopEvery: 1, captions: "auto", ...(stop === "held-out" && { holdOut: "1.jpg" }) },
      });
      await runHere(request, { until: atStep(1) });
      // what an earlier version would have left
      await beside(".txt", (path) => writeFile(path, "a {tokn} asleep"));
      const path = join(request.output, "config.json");
      const { watches, ...config } = JSON.parse(await readFile(path, "utf8")) as {
        readonly watches: unknown;
        readonly hashes: Record<string, string>;
      };
      expect(watches).toBe("trained");
      const odd = createHash("sha256").update("a {tokn} asleep").digest("hex");
      const hashes = Object.entries(config.hashes).flatMap(([name, hash]) => {
        if (!name.endsWith(".txt")) return [[name, hash]];
        return stop === "held-out" ? [] : [[name, odd]];
      });
      await writeFile(path, JSON.stringify({ ...config, hashes: Object.fromEntries(hashes) as unknown }));
      const state = await openState(request.output);
      if (state === undefined) throw new Error("no state");
      const progress = { ...state.progress, configHash: await configHash(request.output) };
      await rewriteState(request.output, state.file, progress);
      const warnings: string[] = [];
      await runHere(request, {
        resume: true,
        until: (event) => event.type === "warning" && warnings.push(textOf(event.text)) < 0,
      });
      const steps = (await readEvents(request.output)).filter((event) => event.type === "step");
      expect(steps[1].curves[stop === "variance" ? "fixed" : "heldOut"]).toBeCloseTo(plain, 6);
      expect(warnings).toContainEqual(expect.stringContaining("watched the loss without captions"));
    },
  );

  tried(2)("two masks that are all of the photo together give the two parts of its loss", async () => {
    const { folder, beside } = await photos();
    // one of the photos that steps see has to have one
    const half = (x: number) =>
      sharp(
        Buffer.from(
          `<svg width="40" height="48"><rect width="40" height="48"/><rect x="${x}" width="20" height="48" fill="#fff"/></svg>`,
        ),
      ).flatten();
    await half(0).png().toFile(join(folder, "0.mask.png"));
    const parts: number[] = [];
    for (const x of [0, 20]) {
      await beside(".mask.png", (path) => half(x).png().toFile(path));
      parts.push(await measured(folder, { maskedLoss: true, crop: "none" }));
    }
    const whole = await measured(folder, { crop: "none" });
    expect(parts[0] + parts[1]).toBeCloseTo(whole, 4);
    for (const part of parts) expect(part).toBeLessThan(0.9 * whole);
  });

  tried(3)("weights of timesteps count, which every weight of 1 leaves as it is", async () => {
    const { folder } = await photos();
    const [plain, high, low] = [
      await measured(folder),
      await measured(folder, { minSnr: 1e9 }),
      await measured(folder, { minSnr: 0.01 }),
    ];
    expect(high).toBeCloseTo(plain, 6);
    expect(low).toBeLessThan(0.9 * plain);
  });
});
