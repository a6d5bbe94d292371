import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findMasks } from "./mask-files.ts";

test("a mask is found however a system composes the accents of its name", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rpo-masks-"));
  // macOS decomposes, other systems do not
  for (const name of ["Ka\u0308se.png", "caf\u00e9.png"]) await writeFile(join(folder, name), "");
  const found = await findMasks(folder, {
    references: ["/photos/K\u00e4se.jpg"],
    images: ["/drawn/cafe\u0301.png", "/drawn/other.png"],
  });
  expect(found).toEqual({
    references: [join(folder, "Ka\u0308se.png")],
    images: [join(folder, "caf\u00e9.png"), undefined],
  });
});
