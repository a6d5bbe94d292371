import { createRequire } from "node:module";
import type * as Koffi from "koffi";

/**
 * Native libraries, called through koffi: the one place that loads them.
 *
 * koffi unloads a library when nothing refers to its handle any more, and function pointers that were read from the library's own tables do
 * not count: a call would then end the process. What is loaded here stays loaded.
 */
export type Library = Koffi.LibraryHandle;

/** An address in native memory; 0n is none. */
export type Pointer = bigint;
export const POINTER_BYTES = 8;

const pinned = new Map<string, Library>();

let loaded: typeof Koffi | undefined;

/** koffi, set up before it loads anything: its stacks cannot be changed afterwards. */
export function ffi(): typeof Koffi {
  if (loaded === undefined) {
    // loaded when first needed, for most commands need no native code; and only a require that fails can be caught for sure (Node 20)
    loaded = createRequire(import.meta.url)("koffi") as typeof Koffi;
    // graphs are optimized by deep recursion, where koffi's own 128 KiB are not enough
    const stacks = { async_stack_size: 8 * 2 ** 20, sync_stack_size: 8 * 2 ** 20 };
    if (loaded.config()["async_stack_size"] !== stacks.async_stack_size) loaded.config(stacks);
  }
  return loaded;
}

/**
 * Loads a library for as long as the process lives.
 * @throws Error in the system's words when there is none, or one that it needs is missing
 */
export function loadLibrary(path: string): Library {
  const known = pinned.get(path);
  if (known !== undefined) return known;
  const library = ffi().load(path);
  pinned.set(path, library);
  return library;
}
