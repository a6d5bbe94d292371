import { join } from "node:path";
import { z } from "zod";
import { writeJson } from "../../system/files.ts";
import { oneLine } from "../../system/printable.ts";
import { createTurns } from "../../system/turns.ts";
import { readNotes } from "../notes.ts";
import { saidBy } from "../../system/said-by.ts";

/** Runs that are out of the way and still there: their ids, in a file beside them. */
const FILE = ".rpo-archive.json";
const schema = z.array(z.string().max(64)).max(100_000);

export interface Archive {
  ids(): Promise<ReadonlySet<string>>;
  /** Puts a run in, or takes it out. @throws Error where that cannot be saved */
  set(id: string, isIn: boolean): Promise<void>;
  /** What was wrong with the file. */
  problem(): string | undefined;
}

export function openArchive(root: string): Archive {
  const inTurn = createTurns();
  let problem: string | undefined;
  const read = async (): Promise<ReadonlySet<string>> => {
    const notes = await readNotes<readonly string[]>(join(root, FILE), schema, []);
    problem = notes.problem ?? problem;
    return new Set(notes.value);
  };
  return {
    ids: () =>
      inTurn(read).catch((error: unknown) => {
        // runs are shown all the same
        problem = oneLine(saidBy(error), 400);
        return new Set<string>();
      }),
    set: (id, isIn) =>
      inTurn(async () => {
        const ids = new Set(await read());
        if (ids.has(id) === isIn) return;
        if (isIn) ids.add(id);
        else ids.delete(id);
        await writeJson(join(root, FILE), [...ids]);
      }),
    problem: () => problem,
  };
}
