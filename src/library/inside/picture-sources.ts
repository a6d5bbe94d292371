import { checkSize } from "../../images/limits.ts";
import { UsageError } from "../../system/errors.ts";
import type { PictureSource } from "../picture.ts";

/** @throws UsageError when there is none, or one is neither a path nor a picture, or larger than files may be */
export function checkSources(name: string, sources: readonly PictureSource[]): void {
  if (sources.length === 0) throw new UsageError(`${name}: expected at least one picture`);
  for (const [i, source] of sources.entries()) {
    if (typeof source === "string") continue;
    const { width, height, data } = source;
    const sides = [width, height].every((side) => Number.isInteger(side) && side > 0);
    if (!sides || !(data instanceof Uint8Array) || data.length !== width * height * 3)
      throw new UsageError(
        `${name}[${i}]: expected a path, or {width, height, data} with width x height x 3 bytes of data`,
      );
    checkSize(`${name}[${i}]`, { width, height });
  }
}
