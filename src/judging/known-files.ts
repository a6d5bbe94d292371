import { join } from "node:path";
import { checkpointPath } from "../runs/folder.ts";
import { readJudged, writeJudged, type JudgedCheckpoint } from "../runs/judged.ts";
import type { JudgedLog } from "./judged-log.ts";

/** The files that a run has judged, as its folder says: each is read once. */
export interface KnownFiles {
  /** By the steps of what was judged; pictures without a file have none. */
  of(log: Pick<JudgedLog, "validations">): Promise<ReadonlyMap<number, JudgedCheckpoint>>;
  /** Writes what a step's file is, where that is not written there already. */
  put(checkpoint: JudgedCheckpoint): Promise<void>;
  /** Reads a step's anew, after others have written it. */
  forget(step: number): void;
}

export function createKnownFiles(run: string): KnownFiles {
  const known = new Map<number, JudgedCheckpoint | undefined>();
  const readOf = async (step: number): Promise<JudgedCheckpoint | undefined> => {
    if (!known.has(step)) known.set(step, await readJudged(join(run, checkpointPath(step))));
    return known.get(step);
  };
  return {
    async of({ validations }) {
      const files = new Map<number, JudgedCheckpoint>();
      for (const { step } of validations) {
        const file = step === 0 ? undefined : await readOf(step);
        if (file !== undefined) files.set(step, file);
      }
      return files;
    },
    async put(checkpoint) {
      const before = await readOf(checkpoint.step).catch(() => undefined);
      if (before !== undefined && JSON.stringify(before) === JSON.stringify(checkpoint)) return;
      await writeJudged(run, checkpoint);
      known.set(checkpoint.step, checkpoint);
    },
    forget(step) {
      known.delete(step);
    },
  };
}
