import { basename, dirname } from "node:path";
import type { JudgedCheckpoint } from "../runs/judged.ts";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { isCheckpoints, nameOf } from "./find.ts";
import { parseCheckpointName } from "./names.ts";
import type { Ordered } from "./order.ts";
import { placeOf } from "./trained.ts";

/**
 * Whether files belong to the training whose files a run has judged: some of them are these, or stand beside them under the same name, or hold
 * what was judged, in whatever folder.
 * @throws UsageError where none do: two trainings in one folder would be one for all that read it
 */
export async function checkSameTraining(
  run: string,
  found: readonly Ordered[],
  judged: ReadonlyMap<number, JudgedCheckpoint>,
): Promise<void> {
  const files = [...judged.values()];
  if (files.length === 0 || found.length === 0) return;
  const trainings = new Set(files.map(({ path }) => trainingOf(path)));
  for (const { path } of found) {
    if (trainings.has(trainingOf(path))) return;
    if (files.some((file) => isCheckpoints(path, file.path))) return;
  }
  for (const { step, path } of found) {
    const before = judged.get(step);
    const now = before && (await placeOf(step, path).catch(() => undefined));
    if (now !== undefined && Object.values(now.files).join() === Object.values(before?.files ?? {}).join()) return;
  }
  throw new UsageError(
    say`${setting("output", run)}: it holds what was judged of another training, such as ${files[0].path}, and ${found[0].path} is none of that; choose another folder, or remove this one to begin anew`,
  );
}

/** A file's folder and its training's name. */
function trainingOf(path: string): string {
  const name = nameOf(path);
  const place = basename(path).replace(/\.safetensors$/, "") === name ? path : dirname(path);
  return `${dirname(place)} ${parseCheckpointName(name).stem}`;
}
