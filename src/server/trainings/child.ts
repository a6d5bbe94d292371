import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { HEEDS_STOP, STOP_FILE } from "./desk.ts";
import { heedStop } from "./heed-stop.ts";

/**
 * The process of a training: `child.js BEGUN-FILE EXIT-FILE PROGRAM WORDS...`. It becomes the program once the server has noted which process
 * it is and says so on its input. A server that ended before that began nothing. That it has begun, and how the program ends, is written down
 * for servers that did not start it.
 */
const [node, , begunFile, exitFile, program, ...words] = process.argv;

const isNoted = await new Promise<boolean>((resolve) => {
  process.stdin.once("data", () => resolve(true));
  process.stdin.once("end", () => resolve(false));
  process.stdin.once("error", () => resolve(false));
});
process.stdin.destroy();
if (isNoted && noteBegun()) {
  process.on("exit", (code) => {
    try {
      writeFileSync(exitFile, `${code}\n`);
    } catch {
      // a full disk: the run's own folder tells enough
    }
  });
  heedStop(join(dirname(begunFile), STOP_FILE));
  process.argv = [node, program, ...words];
  await import(pathToFileURL(program).href);
}

/** Without that note another server would begin the training again. */
function noteBegun(): boolean {
  try {
    writeFileSync(begunFile, HEEDS_STOP);
    return true;
  } catch (error) {
    process.stderr.write(`rpo: ${begunFile}: cannot be written: ${(error as Error).message}\n`);
    process.exitCode = 1;
    return false;
  }
}
