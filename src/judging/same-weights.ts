import { createHash } from "node:crypto";
import { ModelError } from "../system/errors.ts";
import { hashRange } from "../system/digest.ts";
import { reasonOf } from "../system/files.ts";
import { withRegular } from "../system/regular-files.ts";
import type { SafetensorsFile } from "../tensor/safetensors.ts";
import { openHeader } from "./headers.ts";
import { stampOf } from "./stamps.ts";

/** Tells files that hold the same tensors, whatever their headers say besides; each file is read once for as long as it stays as it is. */
export interface Comparison {
  areSame(a: string, b: string): Promise<boolean>;
  /** How often a file's tensors were read whole. */
  readonly readings: number;
}

/** Bytes in the middle of a file that nearly always tell two apart. */
const SAMPLE = 2 ** 20;

/** What is known of a file. */
interface Known {
  readonly stamp: string;
  readonly file: SafetensorsFile | undefined;
  /** Of the tensors' names, types and shapes. */
  readonly layout: string;
  sample?: string;
  whole?: string;
}

export function createComparison(): Comparison {
  const known = new Map<string, Known>();
  let readings = 0;
  const knownOf = async (path: string): Promise<Known> => {
    const stamp = (await stampOf(path))?.text ?? "";
    const before = known.get(path);
    if (before?.stamp === stamp) return before;
    const file = await openHeader(path);
    const tensors = [...(file?.tensors ?? [])].map(([name, { shape, dtype }]) => [name, dtype, shape]);
    const now: Known = {
      stamp,
      file,
      layout: JSON.stringify(tensors.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))),
    };
    known.set(path, now);
    return now;
  };
  const sampleOf = async (of: Known, { path, size, dataStart }: SafetensorsFile): Promise<string> => {
    const middle = Math.floor((dataStart + size) / 2);
    return (of.sample ??= await hashOf(path, [middle, Math.min(size, middle + SAMPLE)]));
  };
  const wholeOf = async (of: Known, { path, size, dataStart }: SafetensorsFile): Promise<string> => {
    if (of.whole === undefined) {
      of.whole = await hashOf(path, [dataStart, size]);
      readings++;
    }
    return of.whole;
  };
  return {
    get readings() {
      return readings;
    },
    async areSame(a, b) {
      const [left, right] = [await knownOf(a), await knownOf(b)];
      if (left.file === undefined || right.file === undefined || left.layout !== right.layout) return false;
      if ((await sampleOf(left, left.file)) !== (await sampleOf(right, right.file))) return false;
      return (await wholeOf(left, left.file)) === (await wholeOf(right, right.file));
    },
  };
}

async function hashOf(path: string, range: readonly [begin: number, end: number]): Promise<string> {
  const hash = createHash("sha256");
  await withRegular(path, { atMost: Infinity }, (file) => hashRange(hash, file, range)).catch((error: unknown) => {
    throw new ModelError(`${path}: ${reasonOf(error)}`, { cause: error });
  });
  return hash.digest("hex");
}
