import { stampOf } from "../stamps.ts";
import { watchChanges, type Patience } from "../waiting.ts";
import { findSamples, type SampleSet, type SampleSets } from "./find.ts";

/** Pictures that a trainer is drawing. */
export interface SampleSource {
  /** What there is; undefined where it may come, and is waited for. @throws UsageError where it may not */
  look(): Promise<SampleSets | undefined>;
  /** Whether a step's pictures may be read: all that it will have are there, and none of them is being written. */
  isReady(set: SampleSet, all: SampleSets): Promise<boolean>;
  /** Whether any of a step's pictures is so new that others of it, or the rest of it, may come. */
  isChanging(set: SampleSet): Promise<boolean>;
}

export function createSampleSource(
  folder: string,
  { watch, patience }: { readonly watch: boolean; readonly patience: Patience },
): SampleSource {
  const changes = watchChanges();
  const isAnyChanging = async ({ pictures }: SampleSet, within: number): Promise<boolean> => {
    let isAny = false;
    // each is looked at, so that each is known by the next look
    for (const { path } of pictures) isAny = (await changes.isChanging(path, within)) || isAny;
    return isAny;
  };
  return {
    look: () => findSamples(folder, { mayCome: watch }),
    async isReady(set, { sets, partial }) {
      // the first step to be drawn does not tell how many pictures there will be
      const isAlone = sets.length === 1 && partial.every(({ step }) => step < set.step);
      return !(await isAnyChanging(set, watch && isAlone ? patience.quietMs : patience.settleMs));
    },
    isChanging: (set) => isAnyChanging(set, patience.quietMs),
  };
}

/** What a step's pictures are like just now: another text when any of them was written anew. */
export async function stampsOf({ pictures }: SampleSet): Promise<string> {
  const stamps: string[] = [];
  for (const { path } of pictures) {
    stamps.push((await stampOf(path))?.text ?? path);
  }
  return stamps.join("\n");
}
