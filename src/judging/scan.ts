import { stat } from "node:fs/promises";
import { ModelError } from "../system/errors.ts";
import { reasonOf } from "../system/files.ts";
import { areSameWeights, openHeader, placeInHeader } from "./headers.ts";
import { findCheckpoints, nameOf } from "./find.ts";
import { parseCheckpointName } from "./names.ts";
import { orderCheckpoints, type Ordered, type Placed } from "./order.ts";

/** A look at what checkpoints there are. */
export interface Look {
  readonly checkpoints: readonly Ordered[];
  readonly notes: readonly string[];
  /** Those that are not whole: half written, or damaged. */
  readonly partial: readonly { readonly path: string; readonly problem: string }[];
}

export interface Scanner {
  /** @throws UsageError where their order cannot be told */
  look(): Promise<Look>;
}

/** Looks again and again; headers are read once. @param options of findCheckpoints */
export function createScanner(wanted: readonly string[], options: { readonly mayCome?: boolean } = {}): Scanner {
  const known = new Map<string, { readonly mark: string; readonly placed: Placed }>();
  const place = async (path: string): Promise<Placed> => {
    const { size, mtimeMs } = await stat(path);
    const mark = `${size} ${mtimeMs}`;
    const before = known.get(path);
    if (before?.mark === mark) return before.placed;
    const file = await openHeader(path);
    const placed = {
      path,
      name: parseCheckpointName(nameOf(path)),
      header: file === undefined ? {} : placeInHeader(file),
    };
    known.set(path, { mark, placed });
    return placed;
  };
  return {
    async look() {
      const whole: Placed[] = [];
      const partial: { path: string; problem: string }[] = [];
      for (const path of await findCheckpoints(wanted, options)) {
        try {
          whole.push(await place(path));
        } catch (error) {
          if (!(error instanceof ModelError) && !(error instanceof Error && "code" in error)) throw error;
          partial.push({ path, problem: error instanceof ModelError ? error.message : `${path}: ${reasonOf(error)}` });
        }
      }
      const { checkpoints, notes } = await orderCheckpoints(whole, areSameWeights);
      return { checkpoints, notes, partial };
    },
  };
}
