import type { JudgedCheckpoint } from "../runs/judged.ts";
import { ModelError } from "../system/errors.ts";
import { exists, reasonOf } from "../system/files.ts";
import { openHeader, placeInHeader, type HeaderPlace } from "./headers.ts";
import { findCheckpoints, isCheckpoints, nameOf } from "./find.ts";
import { stampOf } from "./stamps.ts";
import { parseCheckpointName, trainingIn } from "./names.ts";
import { orderCheckpoints, type Order, type Ordered } from "./order.ts";
import { saidBy, type Placed } from "./places.ts";
import { createComparison } from "./same-weights.ts";

/** A look at what checkpoints there are. */
export interface Look {
  readonly checkpoints: readonly Ordered[];
  readonly notes: readonly string[];
  /** Steps that were judged as others, of files whose place has come to be known: from, to. */
  readonly moves: ReadonlyMap<number, number>;
  /** What each file says of itself: see {@link saidBy}. */
  readonly said: ReturnType<typeof saidBy>;
  /** Those that are not whole: half written, or damaged. */
  readonly partial: readonly { readonly path: string; readonly problem: string }[];
}

/** What was judged before, and where it was. */
export type JudgedPlace = Pick<JudgedCheckpoint, "path" | "step">;

export interface Scanner {
  /** @throws UsageError where their order cannot be told */
  look(judged?: Iterable<JudgedPlace>): Promise<Look>;
}

/** Looks again and again; what has not changed is not read again. @param options of findCheckpoints */
export function createScanner(wanted: readonly string[], options: { readonly mayCome?: boolean } = {}): Scanner {
  const known = new Map<string, { readonly stamp: string; readonly placed: Placed }>();
  const comparison = createComparison();
  let latest: { readonly key: string; readonly order: Order } | undefined;
  const place = async (path: string, stamp: string): Promise<Placed> => {
    const before = known.get(path);
    if (before?.stamp === stamp) return before.placed;
    const file = await openHeader(path);
    const { training, ...header }: HeaderPlace = file === undefined ? {} : placeInHeader(file);
    const name = nameOf(path);
    // without a place in a training it may be the file's own name, as exports have it
    const isTrainings = training !== "" && (header.step !== undefined || header.epoch !== undefined);
    const placed = {
      path,
      name: parseCheckpointName(name, training),
      training: (isTrainings ? training : undefined) ?? trainingIn(name),
      header,
    };
    known.set(path, { stamp, placed });
    return placed;
  };
  return {
    async look(judged = []) {
      const whole: Placed[] = [];
      const stamps: string[] = [];
      const partial: { path: string; problem: string }[] = [];
      const paths = await findCheckpoints(wanted, options);
      for (const path of paths) {
        const stamp = (await stampOf(path))?.text ?? "";
        try {
          whole.push(await place(path, stamp));
          stamps.push(stamp);
        } catch (error) {
          if (!(error instanceof ModelError) && !(error instanceof Error && "code" in error)) throw error;
          partial.push({ path, problem: error instanceof ModelError ? error.message : `${path}: ${reasonOf(error)}` });
        }
      }
      const before = await placesOf(judged, paths);
      const key = JSON.stringify([stamps, [...before]]);
      if (latest?.key !== key) {
        const isSame = (a: string, b: string) => comparison.areSame(a, b);
        latest = { key, order: await orderCheckpoints(whole, { isSame, before }) };
      }
      const { checkpoints, notes } = latest.order;
      return { checkpoints, notes, partial, said: saidBy(whole), moves: movesOf(checkpoints, before) };
    },
  };
}

/** Which of the paths each judged file belongs to: it, or the folder whose weights it is; a file that is gone the one that is called as it was. */
async function placesOf(judged: Iterable<JudgedPlace>, paths: readonly string[]): Promise<Map<string, number>> {
  const places = new Map<string, number>();
  const byLength = [...paths].sort((a, b) => b.length - a.length);
  const gone: JudgedPlace[] = [];
  for (const { path, step } of judged) {
    const owner = byLength.find((each) => isCheckpoints(each, path));
    if (owner !== undefined) places.set(owner, step);
    else if (await exists(path)) places.set(path, step);
    else gone.push({ path, step });
  }
  for (const { path, step } of gone) {
    const moved = paths.find((each) => nameOf(each) === nameOf(path) && !places.has(each));
    places.set(moved ?? path, step);
  }
  return places;
}

function movesOf(checkpoints: readonly Ordered[], before: ReadonlyMap<string, number>): Map<number, number> {
  const moves = new Map<number, number>();
  for (const { path, twins, step } of checkpoints) {
    const former = [path, ...twins].map((each) => before.get(each)).filter((each) => each !== undefined);
    if (former.length > 0 && !former.includes(step)) moves.set(former[0], step);
  }
  return moves;
}
