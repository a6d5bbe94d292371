import type sharp from "sharp";

let loaded: Promise<typeof sharp> | undefined;

/** sharp, loaded with its native library when the first picture is opened or written: that takes longer than most checks of a command. */
export function libvips(): Promise<typeof sharp> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<typeof sharp> {
  const { default: library } = await import("sharp");
  // libvips would otherwise answer from memory when a file was rewritten between two reads
  library.cache(false);
  return library;
}
