import type * as library from "../../src/library/index.ts";

/** The library as it was built: its threads run what is in dist/. */
export async function builtLibrary(): Promise<typeof library> {
  return (await import(new URL("../../dist/library/index.js", import.meta.url).href)) as typeof library;
}
