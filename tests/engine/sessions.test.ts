import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test, vi } from "vitest";
import { openStableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { createUnetRunner } from "../../src/diffusion/unet-runner.ts";
import { createVaeCodec } from "../../src/diffusion/vae-codec.ts";
import { Graph } from "../../src/graph/graph.ts";
import { add } from "../../src/graph/ops/index.ts";
import { blankImage } from "../../src/images/image.ts";
import { generatePictures } from "../../src/commands/generate/run.ts";
import { openJudges } from "../../src/evaluation/open-judges.ts";
import { loadPipeline } from "../../src/engine/services/pipeline.ts";
import { loadReward } from "../../src/engine/services/reward.ts";
import { createAdamW } from "../../src/nn/adamw.ts";
import { TRAIN_DEFAULTS, type TrainRequest } from "../../src/settings/train-settings.ts";
import { openContext } from "../../src/training/open-context.ts";
import { method } from "../../src/methods/rpo/method.ts";
import { BACKENDS } from "../../src/runtime/backends/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { withResources } from "../../src/runtime/resources.ts";
import { zeros } from "../../src/tensor/tensor.ts";
import { makePhotos, MODEL, REWARD } from "../run/cli.ts";

const golden = (path: string) => fileURLToPath(new URL(`../golden/${path}`, import.meta.url));
const session = { threads: 1 };
const FAILURE = new Error("this session cannot be made");

/** Counts sessions that are open; making the `failing`-th of them fails. */
function watchSessions({ failing = Infinity } = {}) {
  const seen = { made: 0, open: 0 };
  const { cpu } = BACKENDS;
  const open = cpu.open.bind(cpu);
  vi.spyOn(cpu, "open").mockImplementation(async (...args) => {
    if (++seen.made === failing) throw FAILURE;
    const made = await open(...args);
    seen.open++;
    return {
      ...made,
      async release() {
        seen.open--;
        await made.release();
      },
    };
  });
  return seen;
}
afterEach(() => vi.restoreAllMocks());

const photos = await makePhotos(1);
const request: TrainRequest = {
  ...TRAIN_DEFAULTS,
  model: MODEL,
  reward: REWARD,
  images: photos,
  class: "dog",
  output: "/nowhere",
  threads: 1,
};
const control = {
  emit: () => undefined,
  signal: new AbortController().signal,
  confirm: () => Promise.resolve(true),
};

/** Things that are made of several sessions. Each is opened, used a little, and released. */
const makers: [name: string, make: () => Promise<unknown>][] = [
  ["AdamW", async () => (await createAdamW(new Map([["w", zeros([2])]]), session)).release()],
  ["a training's context", async () => (await openContext(request, method, control, { resume: false })).release()],
  [
    "the judges",
    async () => {
      const judges = { dino: golden("parity/checkpoints/dino-tiny"), align: REWARD };
      const looks = { each: 1, dino: 0 };
      await (await openJudges({ judges, threads: 1 }, control, looks)).release();
    },
  ],
  [
    "a pipeline that answers",
    async () => {
      const settings = { model: MODEL, adapter: undefined, threads: 1 };
      const drawing = { pictures: [{ prompt: "a dog", seed: 0 }], sampler: "dpm", steps: 1, guidance: 1 } as const;
      await withResources(async (own) =>
        own(await loadPipeline(settings, control)).answer({ ...drawing, height: 16, width: 16 }, control),
      );
    },
  ],
  [
    "a reward that answers",
    async () => {
      const request = { references: photos, pictures: [blankImage({ width: 8, height: 8 })], texts: ["a dog"] };
      await withResources(async (own) =>
        own(await loadReward({ model: REWARD, threads: 1 }, control)).answer(request, control),
      );
    },
  ],
  [
    "pictures that are drawn",
    async () =>
      generatePictures(
        {
          model: MODEL,
          adapter: undefined,
          prompts: ["a dog"],
          negative: undefined,
          count: 1,
          seed: 0,
          sampler: "dpm",
          steps: 1,
          guidance: 1,
          height: 16,
          width: 16,
          output: await mkdtemp(join(tmpdir(), "rpo-sessions-")),
          threads: 1,
        },
        control,
      ),
  ],
];

describe.each(makers)("%s", (_name, make) => {
  test("no session stays open, whichever cannot be made", async () => {
    const whole = watchSessions();
    await make();
    expect(whole.made).toBeGreaterThan(1);
    expect(whole.open).toBe(0);
    for (let failing = 1; failing <= whole.made; failing++) {
      vi.restoreAllMocks();
      const seen = watchSessions({ failing });
      await expect(make()).rejects.toThrow(FAILURE);
      expect([failing, seen.open]).toEqual([failing, 0]);
    }
  });
});

test("weights are checked before a session is made", async () => {
  const seen = watchSessions();
  const sumWith = (parameters: ReadonlyMap<string, ReturnType<typeof zeros>>) => {
    const graph = new Graph();
    return compile({ y: add(graph.parameter("w", [2]), 1) }, { ...session, parameters });
  };
  await expect(sumWith(new Map())).rejects.toThrow("no weights for parameter w");
  await expect(sumWith(new Map([["w", zeros([3])]]))).rejects.toThrow(
    "parameter w: expected float32[2], got float32[3]",
  );
  expect(seen.made).toBe(0);
});

test("a graph that could not be compiled is compiled when it is asked for again", async () => {
  const { unet, vae } = await openStableDiffusion(MODEL);
  const codec = createVaeCodec({ config: vae.config, weights: await vae.load(), session });
  const runner = createUnetRunner({ config: unet.config, weights: await unet.load(), session });
  const feeds = {
    sample: zeros([1, unet.config.inChannels, 8, 8]),
    timestep: zeros([1]),
    text: zeros([1, 77, unet.config.crossAttentionDim]),
  };
  const uses = [
    () => codec.encode(zeros([1, 3, 16, 16])),
    () => codec.decode(zeros([1, vae.config.latentChannels, 8, 8])),
    () => runner.predict(feeds),
  ];
  for (const use of uses) {
    const seen = watchSessions({ failing: 1 });
    await expect(use()).rejects.toThrow(FAILURE);
    await use();
    await use();
    expect(seen.made).toBe(2);
    vi.restoreAllMocks();
  }
  await codec.release();
  await runner.release();
});
