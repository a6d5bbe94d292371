import { dirname } from "node:path";
import { UsageError } from "../../system/errors.ts";
import { makeFolder } from "../../system/files.ts";
import type { DrawnPicture } from "../picture.ts";

/** A picture that can write itself. What encodes it is loaded when it is needed. */
export function drawnPicture(
  picture: Pick<DrawnPicture, "width" | "height" | "data" | "prompt" | "seed">,
): DrawnPicture {
  return {
    ...picture,
    async toPng() {
      const { encodePng } = await import("../../images/write.ts");
      return encodePng(picture);
    },
    async save(path) {
      if (!/\.png$/i.test(path)) throw new UsageError(`${path}: expected a name that ends in .png`);
      const { writePng } = await import("../../images/write.ts");
      await makeFolder(dirname(path));
      await writePng(path, picture);
    },
  };
}
