import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { embeddedFolder } from "../checkpoints/embedded.ts";
import type { Surroundings } from "../settings/surroundings.ts";
import { ModelError, UsageError } from "../system/errors.ts";
import { readJson } from "../system/files.ts";

/** A subject whose photos come with the package. */
export interface BundledSubject {
  readonly name: string;
  readonly class: string;
  readonly description: string;
  /** The folder with its photos. */
  readonly folder: string;
}

const schema = z.object({ class: z.string().min(1), description: z.string() });

/** The package's subjects, by name, with their photos in some surroundings. @throws ModelError when they are missing or damaged */
export async function bundledSubjects(surroundings: Surroundings = "home"): Promise<BundledSubject[]> {
  const root = embeddedFolder("subjects") + (surroundings === "home" ? "" : `-${surroundings}`);
  const names = await readdir(root).catch(() => {
    throw new ModelError(`${root}: no such folder; npm run subjects makes the demo's subjects`);
  });
  const subjects: BundledSubject[] = [];
  for (const name of names.sort()) {
    const folder = join(root, name);
    const parsed = schema.safeParse(await readJson(join(folder, "subject.json")));
    if (!parsed.success) throw new ModelError(`${folder}/subject.json: expected {"class", "description"}`);
    subjects.push({ ...parsed.data, name, folder });
  }
  return subjects;
}

/** @throws UsageError that lists the names there are */
export async function bundledSubject(name: string, surroundings: Surroundings): Promise<BundledSubject> {
  const subjects = await bundledSubjects(surroundings);
  const subject = subjects.find((each) => each.name === name);
  if (subject === undefined)
    throw new UsageError(`--subject ${name}: expected one of ${subjects.map((each) => each.name).join(", ")}`);
  return subject;
}
