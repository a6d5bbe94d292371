// A training without models, whose "weights" count its steps: what it writes is written by the program itself, in a tenth of the time.
//
//     node tests/faults/make-believe.mjs REQUEST.json [--resume] [--stop-after STEP]
//
// REQUEST.json holds a training's settings. Runs from dist/, as the command line does.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { negativePictures } from "../../dist/methods/rpo/negatives.js";
import { trainByMethod } from "../../dist/commands/train/run.js";
import { float32 } from "../../dist/tensor/tensor.js";
import { writeSafetensors } from "../../dist/tensor/safetensors.js";

const [file, ...flags] = process.argv.slice(2);
const request = JSON.parse(await readFile(file, "utf8"));
const stopAfter = flags.includes("--stop-after") ? Number(flags[flags.indexOf("--stop-after") + 1]) : Infinity;

const versions = { rpo: "0", node: "v0", onnxruntime: "0", platform: "none" };
const latent = { mean: float32([1, 2, 3, 4], [1, 2, 2]), deviation: float32([1, 1, 1, 1], [1, 2, 2]) };
const prompts = ["on the Moon", "in the snow"].map((place) => ({
  text: `a [V] dog ${place}`,
  rewardText: `a dog ${place}`,
  likeness: true,
}));
const photo = { text: "a [V] dog", views: [{ encoded: latent }] };
const weights = float32(Array.from({ length: 3000 }, (_, i) => i));
const moments = { first: new Map([["w", float32([0])]]), second: new Map([["w", float32([0])]]) };

async function openContext() {
  const optimizer = {
    parameters: new Map([["w", weights]]),
    moments,
    stepCount: 0,
    fetch: async () => {},
    send: async () => {},
  };
  const settings = { ...request, learningRate: 1, resolution: 8 };
  const square = { width: 8, height: 8, data: new Uint8Array(8 * 8 * 3) };
  return {
    settings,
    cuts: [async () => square, async () => square],
    round: () => [],
    startingPictures: negativePictures(settings, { training: prompts }),
    provenance: { versions, hashes: {} },
    photos: [photo, photo],
    photoOf: (draw) => (draw - 1) % 2,
    prompts: { plain: prompts[0], training: prompts, validation: prompts },
    schedule: { numTrainTimesteps: 2, predictionType: "epsilon", alphasCumprod: Float32Array.of(0.9, 0.5) },
    scaling: 1,
    scorer: {
      // some steps are better than others, and not the same ones for each lambda
      score: async (images) => images.map(({ data }) => ({ alignI: data[0] / 255, alignT: data[1] / 255 })),
      photoAlignment: async () => 0.5,
      photosI: 0.9,
      photosAlignment: async () => 0.4,
    },
    trainer: {
      optimizer,
      async step() {
        optimizer.stepCount++;
        for (let i = 0; i < weights.data.length; i++) weights.data[i] += optimizer.stepCount;
        return { curves: { loss: [2], sim: [1], pref: [1], margin: [0] }, gradNorm: 1 };
      },
      inputs: new Map(),
      backward: async () => ({}),
    },
    encode: async () => ({ mean: float32([1, 2, 3, 4], [1, 1, 2, 2]), logvar: float32([0, 0, 0, 0], [1, 1, 2, 2]) }),
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
    measurePictureStep: async () => 0,
    release: async () => {},
  };
}

const stop = new AbortController();
const control = {
  emit(event) {
    if (event.type === "step" && event.step === stopAfter) stop.abort();
  },
  signal: stop.signal,
  confirm: async () => true,
};
const { reason } = await trainByMethod(request, { resume: flags.includes("--resume") }, control, openContext);
process.stdout.write(`${reason}\n`);
