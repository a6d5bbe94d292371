// Takes a folder's lock and lets it go: hold.mjs FOLDER
// With a log it does so again and again, and writes what it does: hold.mjs FOLDER LOG SECONDS
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { lockFolder } from "../../dist/system/lock.js";

const [folder, log, seconds] = process.argv.slice(2);
const options = { command: "rpo bench", otherMachines: true };
if (log === undefined) {
  await (
    await lockFolder(folder, options)
  )();
} else {
  const end = performance.now() + Number(seconds) * 1000;
  for (let turn = 0; performance.now() < end; turn++) {
    const say = (what) => appendFileSync(log, `${what} ${process.pid}.${turn}\n`);
    const release = await lockFolder(folder, options).catch((error) => {
      if (!error.message.includes("works here")) throw error;
    });
    if (release !== undefined) {
      say("enter");
      await sleep(1);
      say("still");
      await release();
    }
    await sleep(Math.random() * 4);
  }
}
