import type { FileHandle } from "node:fs/promises";
import { statSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import { ffi, loadLibrary, type Pointer } from "./native.ts";
import { once } from "./once.ts";

/**
 * Stretches of large files as memory: nothing is read before somebody looks at it, nothing is copied, and what several processes map lies in memory
 * once. Who writes there writes into a copy of that page, never into the file.
 *
 * A file that is replaced, as downloads do it, stays what it was to those who have mapped it. One that is overwritten where it is changes under
 * them, which {@link changedFile} finds; one that is cut ends the process.
 */

/** mmap, munmap and madvise as Linux has them; elsewhere files are read. */
interface Calls {
  readonly map: (
    from: null,
    length: number,
    protection: number,
    flags: number,
    file: number,
    offset: number,
  ) => Pointer;
  readonly unmap: (address: Pointer, length: number) => number;
  readonly advise: (address: Pointer, length: number, advice: number) => number;
}

/** PROT_READ | PROT_WRITE, MAP_PRIVATE, MADV_WILLNEED, and what mmap answers where it cannot. */
const [READ_AND_WRITE, PRIVATE, WILL_NEED, FAILED] = [3, 2, 3, 0xffff_ffff_ffff_ffffn];

/** Offsets are multiples of the largest page that Linux has on the processors that we run on. */
const PAGE = 2 ** 16;

/** What is shorter is read faster than it is mapped. */
export const LEAST_MAPPED = 2 ** 18;

const calls = once((): Calls | undefined => {
  if (process.platform !== "linux" || process.env["RPO_MAPPING"] === "off") return undefined;
  try {
    const library = loadLibrary("libc.so.6");
    return {
      map: library.func("void *mmap(void *, size_t, int, int, int, int64_t)") as Calls["map"],
      unmap: library.func("int munmap(void *, size_t)") as Calls["unmap"],
      advise: library.func("int madvise(void *, size_t, int)") as Calls["advise"],
    };
  } catch {
    return undefined;
  }
});

interface Stretch {
  readonly address: Pointer;
  readonly length: number;
}

/** What is mapped now, by this thread. */
const mapped = new Set<Stretch>();

function unmap(stretch: Stretch): void {
  if (mapped.delete(stretch)) calls()?.unmap(stretch.address, stretch.length);
}

/** A stretch is given back when nobody has its buffer any more, as other memory is. */
const forgotten = new FinalizationRegistry<Stretch>(unmap);

/** A thread that ends collects nothing. */
const unmapAtExit = once(() => {
  if (!isMainThread) process.once("exit", () => [...mapped].forEach(unmap));
});

/** As it was when it was first mapped. */
interface Identity {
  readonly device: number;
  readonly inode: number;
  readonly size: number;
  readonly changedMs: number;
}

const files = new Map<string, Identity>();

/**
 * The bytes of a file from `start` on, in a buffer that may be written to.
 * @param path of the file, by which {@link changedFile} knows it
 * @returns undefined where it cannot be mapped, and is to be read
 */
export async function mapFile(
  file: FileHandle,
  path: string,
  [start, length]: readonly [start: number, length: number],
): Promise<ArrayBuffer | undefined> {
  const system = length < LEAST_MAPPED ? undefined : calls();
  if (system === undefined) return undefined;
  const { dev: device, ino: inode, size, mtimeMs: changedMs } = await file.stat();
  // a page beyond the end cannot be looked at
  if (start + length > size) return undefined;
  const offset = Math.floor(start / PAGE) * PAGE;
  const whole = start - offset + length;
  const address = system.map(null, whole, READ_AND_WRITE, PRIVATE, file.fd, offset);
  if (BigInt.asUintN(64, address) === FAILED) return undefined;
  const stretch = { address, length: whole };
  mapped.add(stretch);
  unmapAtExit();
  system.advise(address, whole, WILL_NEED);
  const buffer = ffi().view(address + BigInt(start - offset), length);
  forgotten.register(buffer, stretch);
  const known = files.get(path);
  if (known?.device !== device || known.inode !== inode) files.set(path, { device, inode, size, changedMs });
  return buffer;
}

/** A file that was mapped and has been overwritten since: what was read of it may be anything. One that another has replaced is none. */
export function changedFile(): string | undefined {
  for (const [path, { device, inode, size, changedMs }] of files) {
    const now = statSync(path, { throwIfNoEntry: false });
    if (now === undefined || now.dev !== device || now.ino !== inode) continue;
    if (now.size !== size || now.mtimeMs !== changedMs) return path;
  }
  return undefined;
}
