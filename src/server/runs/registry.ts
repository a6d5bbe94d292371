import { createHash } from "node:crypto";
import { readdir, realpath } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { BENCHMARK_FILE, CONFIG_FILE, EVENTS_FILE } from "../../runs/folder.ts";
import { exists } from "../../system/files.ts";
import { Refusal } from "../refusal.ts";

/** The runs below the folders that the server was started with. Nothing is asked for by a path: a run has an id, made of its place. */

/** Folders below a folder of runs: runs/demo/photos-alone has two. */
const MOST_DEPTH = 3;
/** Folders that are looked at in all, so that a home folder given by mistake does not take minutes. */
const MOST_FOLDERS = 20_000;
/** What lies in a run's folder and holds no run. */
const PARTS = new Set(["checkpoints", "images", "tensorboard", "exports", "exam", "node_modules"]);

export interface KnownRun {
  readonly id: string;
  readonly folder: string;
  /** Below the folder of runs, with / between. */
  readonly name: string;
}

export interface Registry {
  readonly roots: readonly string[];
  /** Where new runs go, and the page's own notes. */
  readonly home: string;
  /** Looks for runs. */
  list(): Promise<KnownRun[]>;
  /** @throws Refusal where there is none */
  find(id: string): Promise<KnownRun>;
  /** Looks for folders of `rpo bench`, which hold runs too. */
  benches(): Promise<KnownRun[]>;
  /** @throws Refusal where there is none */
  findBench(id: string): Promise<KnownRun>;
}

/** @param folders of runs, or runs themselves */
export async function createRegistry(folders: readonly string[]): Promise<Registry> {
  const roots = folders.map((folder) => resolve(folder));
  const home = (await isRun(roots[0])) ? dirname(roots[0]) : roots[0];
  let known = new Map<string, KnownRun>();
  let knownBenches = new Map<string, KnownRun>();

  async function list(): Promise<KnownRun[]> {
    known = await look(isRun);
    return [...known.values()];
  }

  async function look(isWanted: (folder: string) => Promise<boolean>): Promise<Map<string, KnownRun>> {
    const found = new Map<string, KnownRun>();
    let looked = 0;
    const lookIn = async (root: string, folder: string, depth: number): Promise<void> => {
      if (++looked > MOST_FOLDERS) return;
      if (await isWanted(folder)) {
        const run = { id: idOf(await realpath(folder)), folder, name: nameBelow(root, folder) };
        if (!found.has(run.id)) found.set(run.id, run);
      }
      if (depth >= MOST_DEPTH) return;
      const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
      for (const entry of entries)
        if (entry.isDirectory() && !entry.name.startsWith(".") && !PARTS.has(entry.name))
          await lookIn(root, join(folder, entry.name), depth + 1);
    };
    for (const root of roots) await lookIn(root, root, 0);
    return found;
  }

  async function benches(): Promise<KnownRun[]> {
    knownBenches = await look(isBench);
    return [...knownBenches.values()];
  }

  return {
    roots,
    home,
    ...{ list, benches },
    async findBench(id) {
      // the page asks for one again and again
      const bench = knownBenches.get(id) ?? (await benches()).find((each) => each.id === id);
      if (bench === undefined || !(await isBench(bench.folder))) throw new Refusal(404, "no such benchmark");
      return bench;
    },
    async find(id) {
      const run = known.get(id) ?? (await list()).find((each) => each.id === id);
      if (run === undefined || !(await exists(run.folder))) throw new Refusal(404, "no such run");
      return run;
    },
  };
}

async function isRun(folder: string): Promise<boolean> {
  return (await exists(join(folder, EVENTS_FILE))) && (await exists(join(folder, CONFIG_FILE)));
}

function isBench(folder: string): Promise<boolean> {
  return exists(join(folder, BENCHMARK_FILE));
}

function nameBelow(root: string, folder: string): string {
  const below = relative(root, folder);
  return (below === "" ? (root.split(sep).at(-1) ?? root) : below).split(sep).join("/");
}

/** @param place a real path: two names of one folder are one run */
export function idOf(place: string): string {
  return createHash("sha256").update(place).digest("hex").slice(0, 16);
}
