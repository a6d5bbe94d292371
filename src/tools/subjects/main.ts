import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { packagePath } from "../../system/package.ts";
import { writeFileAtomic, writeJson } from "../../system/files.ts";
import { writePng } from "../../images/write.ts";
import { FRAME } from "../../world/compose.ts";
import { renderScenes } from "../../world/render.ts";
import { SURROUNDINGS, type Surroundings } from "../../settings/surroundings.ts";
import { photoScenes, SUBJECTS, type Subject } from "../../world/subjects.ts";

/**
 * `npm run subjects`: renders the demo's subjects into models/tiny/subjects/NAME: 01.png ..., masks/01.png ... (white where the subject
 * is) and subject.json; and the same in other surroundings into models/tiny/subjects-garden and -mixed.
 */
async function main(): Promise<void> {
  for (const subject of SUBJECTS) {
    for (const surroundings of SURROUNDINGS)
      await writeSubject(bundledFolder(surroundings, subject), subject, surroundings);
    process.stdout.write(`${subject.name}: ${subject.description}\n`);
  }
}

function bundledFolder(surroundings: Surroundings, { name }: Subject): string {
  return packagePath("models", "tiny", surroundings === "home" ? "subjects" : `subjects-${surroundings}`, name);
}

async function writeSubject(folder: string, subject: Subject, surroundings: Surroundings): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, "masks"), { recursive: true });
  const rendered = await renderScenes(photoScenes(subject, surroundings), { masks: true });
  const size = { width: FRAME, height: FRAME };
  for (const [i, { image, mask = new Uint8Array() }] of rendered.entries()) {
    const name = `${String(i + 1).padStart(2, "0")}.png`;
    await writePng(join(folder, name), { ...size, data: image });
    const grey = sharp(mask, { raw: { ...size, channels: 1 } }).toColourspace("b-w");
    await writeFileAtomic(join(folder, "masks", name), await grey.png().toBuffer());
  }
  const { className, seed, description } = subject;
  await writeJson(join(folder, "subject.json"), { class: className, description, seed });
}

await main();
