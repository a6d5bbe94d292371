import { createHash, randomUUID } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { copyFile, link, lstat, readdir, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { UsageError } from "./errors.ts";
import { cannotWrite, reasonOf } from "./files.ts";
import { whenNotInUse } from "./in-use.ts";
import { parseJson } from "./json.ts";
import { removeLeftovers, temporaryPath } from "./leftovers.ts";
import { fateOf, thisProcess, type Fate } from "./processes.ts";
import { readText } from "./regular-files.ts";

/**
 * A lock is a file that says who has it. Of those that find one of a dead process, one puts its own in its place.
 *
 * The file appears whole, by a link from a temporary name, which fails where the name is taken. A dead process's lock is not removed, but
 * replaced, by whoever has made a second file first, the claim, linked likewise. What is there, of a dead D, with A and B who want it:
 *
 *     lock.json   .lock.json.after-D-0.tmp   .lock.json.after-D-1.tmp
 *     D           -                          -                          free to whoever makes the first claim
 *     D           A                          -                          A has the lock, looks again that D is there, and renames over it
 *     A           A                          -                          A removes the claims
 *     A           -                          -
 *
 * Should A be killed before it renames, B finds so and makes the next claim:
 *
 *     D           A                          B                          B has the lock, and renames
 *     B           A                          B                          B removes the claims
 *
 * So while D is there, whoever made its last claim has the lock. D's name never comes back: claims to it, and taking one back, mean
 * nothing once another lock has its place. (Claims are numbered by D, and not named by the claim before: one that is taken back might be a
 * link of the chain from another lock.)
 *
 * A kill at any instant leaves a lock, claims and temporary files of the dead, which the next to take the lock removes.
 */

/** `started` is for versions that do not know `birth`. `taking` tells apart two locks that one process takes. */
const holderSchema = z.object({
  host: z.string(),
  pid: z.int(),
  started: z.number(),
  birth: z.string().optional(),
  taking: z.string().optional(),
});
export type Holder = Partial<z.output<typeof holderSchema>> & { readonly host: string; readonly pid: number };

/** What is known of a lock's holder; of a process on another machine, nothing. A damaged lock may be one that is being written. */
export type LockStatus =
  | { readonly fate: Fate | "elsewhere"; readonly holder: Holder; readonly changedMs: number }
  | { readonly fate: "damaged"; readonly changedMs: number };

/** A lock file's content. */
interface Lock {
  readonly id: string;
  readonly holder: Holder | undefined;
  readonly changedMs: number;
}

const MOST_BYTES = 4096;

/**
 * Takes the lock at `path`, in a folder that is there.
 * @param isFree whether a lock may be taken from its holder
 * @returns a function that lets it go, or who has it
 * @throws UsageError when something else has its name, Error when the disk does not take it
 */
export async function tryLock(
  path: string,
  isFree: (status: LockStatus) => boolean,
): Promise<(() => Promise<void>) | LockStatus> {
  const text = JSON.stringify({ host: hostname(), ...(await thisProcess()), taking: randomUUID() } satisfies Holder);
  const mine = idOf(text);
  let temporary: string | undefined;
  try {
    for (;;) {
      const lock = await readLock(path);
      const claims = lock && (await claimsOf(path, lock));
      const status = claims && (await statusOf(claims.last));
      if (status !== undefined && !isFree(status)) return status;
      temporary ??= await writeTemporary(path, text);
      if (lock === undefined || claims === undefined) {
        if (await linkNew(temporary, path)) break;
      } else if (await replace(temporary, path, lock, claimPath(path, lock, claims.count))) break;
    }
  } finally {
    if (temporary !== undefined) await rm(temporary, { force: true });
  }
  await tidy(path, mine);
  return async () => {
    // somebody may have removed it, and another have it now
    if ((await readLock(path).catch(() => undefined))?.id === mine) await whenNotInUse(() => rm(path, { force: true }));
  };
}

/** Who has the lock at `path`. @throws UsageError when something else has its name */
export async function lockStatusAt(path: string): Promise<LockStatus | undefined> {
  const lock = await readLock(path);
  return lock && statusOf((await claimsOf(path, lock)).last);
}

/** Puts a lock in the place of another by the next claim to it. @returns whether that was free */
async function replace(temporary: string, path: string, lock: Lock, claim: string): Promise<boolean> {
  if (!(await linkNew(temporary, claim))) return false;
  try {
    const isReplaced = await whenNotInUse(async () => {
      if ((await readLock(path))?.id !== lock.id) return false;
      await rename(temporary, path);
      return true;
    });
    if (isReplaced) return true;
  } catch (error) {
    await rm(claim, { force: true });
    throw error instanceof UsageError ? error : cannotWrite(path, error);
  }
  await rm(claim, { force: true });
  return false;
}

/** Gives a file a second name. @returns whether that name was not taken */
async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await whenNotInUse(() =>
      link(from, to).catch(async (error: unknown) => {
        if (codeOf(error) === "EEXIST") throw error;
        // a file system without links, where a kill may leave half a lock
        await copyFile(from, to, constants.COPYFILE_EXCL);
      }),
    );
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw cannotWrite(to, error);
  }
}

async function writeTemporary(path: string, text: string): Promise<string> {
  await removeLeftovers(dirname(path));
  const temporary = await temporaryPath(path);
  await writeFile(temporary, text, { flag: "wx" }).catch(async (error: unknown) => {
    await rm(temporary, { force: true });
    throw cannotWrite(path, error);
  });
  return temporary;
}

/** The name of the n-th claim to a lock. */
function claimPath(path: string, { id }: Pick<Lock, "id">, n: number): string {
  return join(dirname(path), `.${basename(path)}.after-${id}-${n}.tmp`);
}

/** Removes all claims but those to the lock that was taken, and what version 0.1.0 left of a takeover. */
async function tidy(path: string, mine: string): Promise<void> {
  const file = basename(path);
  const names = await readdir(dirname(path)).catch((): string[] => []);
  const old = names.filter(
    (name) =>
      name === `${file}.takeover` ||
      (name.startsWith(`.${file}.after-`) && name.endsWith(".tmp") && !name.startsWith(`.${file}.after-${mine}-`)),
  );
  for (const name of old) await rm(join(dirname(path), name), { force: true }).catch(() => undefined);
}

/** How many claims to a lock there are, and the file whose writer has the lock: the last claim, or without claims the lock itself. */
async function claimsOf(path: string, lock: Lock): Promise<{ readonly last: Lock; readonly count: number }> {
  let last = lock;
  for (let count = 0; ; count++) {
    const next = await readLock(claimPath(path, lock, count));
    if (next === undefined) return { last, count };
    last = next;
  }
}

async function statusOf({ holder, changedMs }: Lock): Promise<LockStatus> {
  if (holder === undefined) return { fate: "damaged", changedMs };
  return { fate: holder.host === hostname() ? await fateOf(holder) : "elsewhere", holder, changedMs };
}

/** @returns undefined where there is none. @throws UsageError when it is no file */
async function readLock(path: string): Promise<Lock | undefined> {
  let info: Stats;
  let text = "";
  try {
    info = await lstat(path);
    if (info.isFile() && info.size <= MOST_BYTES)
      text = await whenNotInUse(() => readText(path, { atMost: MOST_BYTES }));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new UsageError(`${path}: ${reasonOf(error)}`, { cause: error });
  }
  if (!info.isFile()) {
    const what = info.isDirectory() ? "a folder" : info.isSymbolicLink() ? "a link" : "no file";
    throw new UsageError(`${path}: expected the file that says who works here, but it is ${what}; move it away`);
  }
  const holder = parseHolder(text);
  const id = idOf(holder === undefined ? `${text} ${info.ino} ${info.mtimeMs}` : text);
  return { id, holder, changedMs: info.mtimeMs };
}

function parseHolder(text: string): Holder | undefined {
  // as version 0.1.0 wrote the locks of downloads
  const [, pid, host] = /^(\d+) (\S+)\n?$/.exec(text) ?? [];
  if (host !== undefined) return { host, pid: Number(pid) };
  try {
    return holderSchema.parse(parseJson(text));
  } catch {
    return undefined;
  }
}

function idOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
