// @ts-check
// Teaches the embedded miniature a dog, in far too few steps: node examples/train.mjs [FOLDER]
import { fileURLToPath } from "node:url";
import { train } from "rpo";

const output = process.argv[2] ?? "runs/example";

// Ctrl-C finishes the step and saves; train({ output, resume: true }) goes on.
const interrupt = new AbortController();
process.once("SIGINT", () => interrupt.abort());

const { reason, step, best } = await train({
  images: fileURLToPath(new URL("../models/tiny/subjects/dog", import.meta.url)),
  class: "dog",
  output,
  // Without these the embedded model's own: 160 steps, some minutes.
  steps: 4,
  validateEvery: 2,
  validationImages: 1,
  validationSteps: 4,
  negatives: 1,
  confirm({ seconds, peakBytes }) {
    console.log(`at most ${seconds.toFixed(0)} s and ${(peakBytes / 1e9).toFixed(1)} GB of memory`);
    return seconds < 3600;
  },
  onEvent(event) {
    if (event.type === "step") console.log(`step ${event.step}: loss ${event.curves.loss.toFixed(3)}`);
    if (event.type === "validation") console.log(`step ${event.step}: reward ${event.reward.toFixed(4)}`);
    if (event.type === "warning") console.warn(event.text);
  },
  signal: interrupt.signal,
});
console.log(
  `${reason} after step ${step}; best is step ${best?.step}, reward ${best?.reward.toFixed(4)}, in ${output}`,
);
