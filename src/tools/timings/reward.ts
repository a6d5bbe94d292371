import { openAlign } from "../../checkpoints/encoders.ts";
import { createFeatureEncoder } from "../../checkpoints/feature-encoder.ts";
import type { Image } from "../../images/image.ts";
import { Random } from "../../tensor/random.ts";
import type { Work } from "./work.ts";

const SIDE = 512;

/** From pictures in memory, through the processor, to features. */
export const reward: Work = async ({ checkpoint, session }) => {
  const encoder = await createFeatureEncoder(await openAlign(checkpoint), session);
  const rng = new Random(0);
  const images = Array.from({ length: 20 }, () => noiseImage(rng));
  return {
    async run() {
      await encoder.texts(["a dog on the beach"]);
      return encoder.images(images);
    },
    release: () => encoder.release(),
  };
};

function noiseImage(rng: Random): Image {
  return { width: SIDE, height: SIDE, data: Uint8Array.from({ length: SIDE * SIDE * 3 }, () => rng.integer(256)) };
}
