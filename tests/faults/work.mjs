// What leaves something when it is killed, in a folder: work.mjs write|link|task FOLDER
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { linkBlob } from "../../dist/hub/cache.js";
import { publish, takeOver } from "../../dist/benchmark/folder.js";
import { writeFileAtomic } from "../../dist/system/files.js";

const [what, folder] = process.argv.slice(2);
if (what === "write") await writeFileAtomic(join(folder, "state.json"), "new".repeat(1000));
if (what === "link") await linkBlob(join(folder, "blob"), join(folder, "snapshot", "config.json"));
if (what === "task") {
  const task = join(folder, "train", "key");
  const work = `${task}.host-${process.pid}-1`;
  await takeOver(task, work);
  await writeFile(join(work, "state.safetensors"), "large");
  await publish(task, work, { reward: 1 });
}
