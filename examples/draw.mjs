// @ts-check
// Draws two pictures: node examples/draw.mjs [FOLDER]
import { join } from "node:path";
import { loadPipeline } from "rpo";

const folder = process.argv[2] ?? "runs/example-pictures";

const pipeline = await loadPipeline({ model: "tiny" });
try {
  const pictures = await pipeline.generate({
    prompt: ["a dog on the beach", "a red teapot"],
    steps: 10,
    seed: 7,
    onEvent(event) {
      if (event.type === "progress") console.log(`${event.phase}: ${event.done} of ${event.total}`);
    },
  });
  for (const [i, picture] of pictures.entries()) {
    const path = join(folder, `${i}.png`);
    await picture.save(path);
    console.log(`${path}: ${picture.prompt}, seed ${picture.seed}, ${picture.width} x ${picture.height}`);
  }
} finally {
  await pipeline.release();
}
