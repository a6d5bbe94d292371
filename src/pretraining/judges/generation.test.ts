import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openStableDiffusion } from "../../checkpoints/stable-diffusion.ts";
import { createVaeCodec } from "../../diffusion/vae-codec.ts";
import { toTensor } from "../../images/pixels.ts";
import { stack } from "../../tensor/tensor.ts";
import { drawPictures, reconstructionPsnr } from "./generation.ts";
import { heldOutScenes, rendered } from "./held-out.ts";

const folder = fileURLToPath(new URL("../../../tests/golden/tiny/checkpoints/sd15-tiny", import.meta.url));
const session = { threads: 1 };

test("a picture depends on its prompt and its number alone, not on the batch", async () => {
  const options = { steps: 2, guidance: 3, session };
  const whole = await drawPictures(folder, { ...options, prompts: ["a dog", "a cat", "a dog"], batch: 3 });
  const parts = await drawPictures(folder, { ...options, prompts: ["a dog", "a cat"], batch: 1 });
  parts.forEach(({ data }, i) =>
    data.forEach((value, k) => expect(Math.abs(value - whole[i].data[k])).toBeLessThanOrEqual(1)),
  );
  expect(whole[2].data).not.toEqual(whole[0].data);
});

test("PSNR is 10 log₁₀ of 255² over the mean squared error of all bytes", async () => {
  const images = await rendered(heldOutScenes(2).map(({ scene }) => scene));
  const { vae } = await openStableDiffusion(folder);
  const codec = createVaeCodec({ config: vae.config, weights: await vae.load(), session });
  const { mean } = await codec.encode(stack(images.map(toTensor)));
  const { data } = await codec.decode(mean);
  await codec.release();
  const area = images[0].width * images[0].height;
  const squares = images.map(() => 0);
  data.forEach((x, i) => {
    const [item, channel, pixel] = [Math.floor(i / (3 * area)), Math.floor(i / area) % 3, i % area];
    const byte = Math.round(Math.min(1, Math.max(0, (x + 1) / 2)) * 255);
    squares[item] += (byte - images[item].data[pixel * 3 + channel]) ** 2 / (3 * area);
  });
  const decibels = (error: number) => 10 * Math.log10(255 ** 2 / error);
  const psnr = await reconstructionPsnr(folder, images, session);
  expect(psnr.mean).toBeCloseTo((decibels(squares[0]) + decibels(squares[1])) / 2, 2);
  expect(psnr.pooled).toBeCloseTo(decibels((squares[0] + squares[1]) / 2), 2);
});
