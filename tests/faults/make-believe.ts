import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { trainByMethod } from "../../src/commands/train/run.ts";
import type { Image } from "../../src/images/image.ts";
import { negativePictures } from "../../src/methods/rpo/negatives.ts";
import type { RunControl } from "../../src/runs/events.ts";
import type { TrainRequest, TrainSettings } from "../../src/settings/train-settings.ts";
import { writeSafetensors } from "../../src/tensor/safetensors.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import type { TrainingContext } from "../../src/training/context.ts";
import type { RunPrompts } from "../../src/training/prompts.ts";

/**
 * A training without models, whose "weights" count its steps: what it writes is written by the program itself, in a tenth of the time.
 *
 *     node make-believe.js REQUEST.json [--resume] [--stop-after STEP]
 *
 * REQUEST.json holds a training's settings. `builtScript` makes it a script that runs from dist/, as the command line does.
 */

const [file, ...flags] = process.argv.slice(2);
const request = JSON.parse(await readFile(file, "utf8")) as TrainRequest;
const stopAfter = flags.includes("--stop-after") ? Number(flags[flags.indexOf("--stop-after") + 1]) : Infinity;

const versions = { rpo: "0", node: "v0", onnxruntime: "0", platform: "none" };
const latent = { mean: float32([1, 2, 3, 4], [1, 2, 2]), deviation: float32([1, 1, 1, 1], [1, 2, 2]) };
const prompts = ["on the Moon", "in the snow"].map((place) => ({
  text: `a [V] dog ${place}`,
  rewardText: `a dog ${place}`,
  likeness: true,
}));
const all: RunPrompts = { plain: prompts[0], training: prompts, validation: prompts };
const photo = { path: "photo.png", text: "a [V] dog", views: [{ encoded: latent }] };
const weights = float32(Array.from({ length: 3000 }, (_, i) => i));
const moments = { first: new Map([["w", float32([0])]]), second: new Map([["w", float32([0])]]) };

function openContext(): Promise<TrainingContext> {
  const optimizer = {
    parameters: new Map([["w", weights]]),
    moments,
    stepCount: 0,
    gradients: new Map(),
    step: () => unused("the optimizer's step"),
    release: () => Promise.resolve(),
    fetch: () => Promise.resolve(),
    send: () => Promise.resolve(),
  };
  const settings: TrainSettings = { ...request, learningRate: 1, resolution: 8 };
  const square: Image = { width: 8, height: 8, data: new Uint8Array(8 * 8 * 3) };
  return Promise.resolve({
    settings,
    cuts: [() => Promise.resolve(square), () => Promise.resolve(square)],
    round: () => [],
    startingPictures: negativePictures(settings, all),
    provenance: { versions, hashes: {} },
    photos: [photo, photo],
    photoOf: (draw) => (draw - 1) % 2,
    prompts: all,
    schedule: { numTrainTimesteps: 2, predictionType: "epsilon", alphasCumprod: Float32Array.of(0.9, 0.5) },
    scaling: 1,
    scorer: {
      // some steps are better than others, and not the same ones for each lambda
      score: (images) => Promise.resolve(images.map(({ data }) => ({ alignI: data[0] / 255, alignT: data[1] / 255 }))),
      scoreNearest: () => unused("scoreNearest"),
      photoAlignment: () => Promise.resolve(0.5),
      photosI: 0.9,
      closest: () => undefined,
      photosAlignment: () => Promise.resolve(0.4),
    },
    trainer: {
      optimizer,
      policy: new Map(),
      parameters: new Map(),
      step() {
        optimizer.stepCount++;
        for (let i = 0; i < weights.data.length; i++) weights.data[i] += optimizer.stepCount;
        const curves = { loss: [2], sim: [1], pref: [1], margin: [0] };
        return Promise.resolve({
          curves: Object.fromEntries(Object.entries(curves).map(([name, value]) => [name, Float32Array.from(value)])),
          gradNorm: 1,
        });
      },
      inputs: new Map(),
      backward: () => Promise.resolve({}),
      release: () => Promise.resolve(),
    },
    fixedLoss: undefined,
    encode: () =>
      Promise.resolve({ mean: float32([1, 2, 3, 4], [1, 1, 2, 2]), logvar: float32([0, 0, 0, 0], [1, 1, 2, 2]) }),
    embedding: () => ({ states: float32([1, 2], [1, 2]), pooled: undefined }),
    async writeCheckpoint(folder) {
      const name = request.adapter === "full" ? "diffusion_pytorch_model" : "adapter_model";
      await writeFile(join(folder, request.adapter === "full" ? "config.json" : "adapter_config.json"), "{}\n");
      await writeSafetensors(join(folder, `${name}.safetensors`), [{ name: "w", tensor: weights }]);
    },
    async draw(pictures, { done, skip = () => false }) {
      const step = optimizer.stepCount;
      const colour = [(step * 97) % 200, 200 - ((step * 41) % 180), 7];
      for (const each of pictures) {
        const data = Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => colour[i % 3]);
        if (!skip(each)) await done({ width: 8, height: 8, data }, each);
      }
      return true;
    },
    measurePictureStep: () => Promise.resolve(0),
    release: () => Promise.resolve(),
  });
}

function unused(what: string): Promise<never> {
  return Promise.reject(new Error(`${what} is not make-believe yet`));
}

const stop = new AbortController();
const control: RunControl = {
  emit(event) {
    if (event.type === "step" && event.step === stopAfter) stop.abort();
  },
  signal: stop.signal,
  confirm: () => Promise.resolve(true),
};
const { reason } = await trainByMethod(request, { resume: flags.includes("--resume") }, control, openContext);
process.stdout.write(`${reason}\n`);
