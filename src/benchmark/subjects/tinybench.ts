import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pickSubjects, type Subject } from "./dreambench.ts";
import { writePng } from "../../images/write.ts";
import type { Surroundings } from "../../settings/surroundings.ts";
import { exists } from "../../system/files.ts";
import { removeLeftovers, temporaryPath } from "../../system/leftovers.ts";
import { FRAME } from "../../world/compose.ts";
import { renderScenes } from "../../world/render.ts";
import { photoScenes } from "../../world/subjects.ts";
import { TINYBENCH, tinybenchPrompts } from "../../world/tinybench.ts";

/** As version 0.1.0 named the folders that it was making. */
const MAKING = /^[\w-]+\.making-[0-9a-f-]{36}$/;

export const TINYBENCH_NAMES = TINYBENCH.map(({ name }) => name);

/**
 * The miniature benchmark's subjects with their photos, rendered into <output>/data unless they are there: another version of the SVG library
 * may draw edges a little differently, and a benchmark goes on with the photos that it began with.
 * @throws UsageError on unknown subjects
 */
export async function prepareTinybench(
  output: string,
  wanted: readonly string[] | undefined,
  surroundings: Surroundings,
): Promise<Subject[]> {
  const names = pickSubjects(TINYBENCH_NAMES, wanted, "tinybench");
  const subjects: Subject[] = [];
  await removeLeftovers(join(output, "data"), (name) => MAKING.test(name));
  for (const subject of TINYBENCH.filter(({ name }) => names.includes(name))) {
    const folder = join(output, "data", subject.name);
    if (!(await exists(folder))) await makePhotos(subject, surroundings, folder);
    subjects.push({ name: subject.name, class: subject.className, folder, prompts: tinybenchPrompts(subject) });
  }
  return subjects;
}

/** Renders a subject's photos and puts their folder in place whole; another process may be doing the same, and the first one's stay. */
export async function makePhotos(
  subject: (typeof TINYBENCH)[number],
  surroundings: Surroundings,
  folder: string,
): Promise<void> {
  const making = await temporaryPath(folder);
  await mkdir(making, { recursive: true });
  try {
    const size = { width: FRAME, height: FRAME };
    for (const [i, { image }] of (await renderScenes(photoScenes(subject, surroundings))).entries())
      await writePng(join(making, `${String(i + 1).padStart(2, "0")}.png`), { ...size, data: image });
    await rename(making, folder).catch(async (error: unknown) => {
      if (!(await exists(folder))) throw error;
    });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}
