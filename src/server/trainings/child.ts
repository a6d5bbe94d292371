import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/**
 * The process of a training: `child.js EXIT-FILE PROGRAM WORDS...`. It becomes the program once the server has noted which process it is and
 * says so on its input. A server that ended before that began nothing. How the program ends is written down for servers that did not start it.
 */
const [node, , exitFile, program, ...words] = process.argv;

const isNoted = await new Promise<boolean>((resolve) => {
  process.stdin.once("data", () => resolve(true));
  process.stdin.once("end", () => resolve(false));
  process.stdin.once("error", () => resolve(false));
});
process.stdin.destroy();
if (isNoted) {
  process.on("exit", (code) => {
    try {
      writeFileSync(exitFile, `${code}\n`);
    } catch {
      // a full disk: the run's own folder tells enough
    }
  });
  process.argv = [node, program, ...words];
  await import(pathToFileURL(program).href);
}
