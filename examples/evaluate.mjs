// @ts-check
// Draws pictures and judges them against the photos of a dog: node examples/evaluate.mjs [FOLDER]
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { evaluate, loadPipeline } from "rpo";

const images = process.argv[2] ?? "runs/example-evaluation";

const pipeline = await loadPipeline({ model: "tiny" });
try {
  const pictures = await pipeline.generate({ prompt: "a dog on the beach", count: 2, steps: 5 });
  /** @type {Record<string, string>} */
  const prompts = {};
  for (const picture of pictures) {
    const file = `${picture.seed}.png`;
    await picture.save(join(images, file));
    prompts[file] = picture.prompt;
  }
  await writeFile(join(images, "prompts.json"), JSON.stringify(prompts));
} finally {
  await pipeline.release();
}

const { means, copyRate } = await evaluate({
  references: fileURLToPath(new URL("../models/tiny/subjects/dog", import.meta.url)),
  images,
  judges: "tiny",
});
for (const [name, value] of Object.entries(means)) console.log(`${name}: ${value.toFixed(3)}`);
console.log(`copies: ${copyRate}`);
