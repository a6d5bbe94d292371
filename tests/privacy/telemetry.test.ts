import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePhotos, MODEL, root, temporaryFolder, trainingArgs } from "../run/cli.ts";
import { watch } from "./watch.ts";

/** ONNX Runtime would send telemetry, and leave an id and a queue in the cache and logs in the temporary folder. */

const program = join(root, "dist/cli/main.js");
const library = new URL("../../dist/library/index.js", import.meta.url).href;
const quiet = { files: [], sockets: [] };

let folder: string;
beforeAll(async () => (folder = await temporaryFolder()));
afterAll(() => rm(folder, { recursive: true }));

/** A program that draws a picture by the library in a worker thread. @param main what its main thread does meanwhile */
async function drawingInThread(name: string, main: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(
    path,
    `import { isMainThread, Worker } from "node:worker_threads";
    import { loadPipeline } from ${JSON.stringify(library)};
    if (isMainThread) {
      const thread = new Worker(new URL(import.meta.url));
      ${main}
      thread.on("error", (error) => { console.log(error.name + ": " + error.message); process.exitCode = 2; });
    } else {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const pipeline = await loadPipeline({ model: ${JSON.stringify(MODEL)}, threads: 1 });
      const pictures = await pipeline.generate({ prompt: "a dog", steps: 1 });
      console.log(pictures.length + " picture");
      await pipeline.release();
    }`,
  );
  return path;
}

describe("nothing leaves the machine, and nothing is left in the user's home, cache or temporary folder,", () => {
  test("by training and drawing", async () => {
    const output = join(folder, "run");
    const short = "--steps 2 --validate-every 2 --validation-images 1 --validation-steps 1 --negatives 1".split(" ");
    const args = [program, ...trainingArgs(await makePhotos()), ...short, "--output", output];
    expect(await watch(join(folder, "train"), args)).toMatchObject({ code: 0, ...quiet });
    const pictures = join(folder, "pictures");
    const draw = [program, "generate", "--adapter", output, "--prompt", "a dog", "-n", "1", "--output", pictures];
    expect(await watch(join(folder, "generate"), draw)).toMatchObject({ code: 0, ...quiet });
    expect(await readdir(pictures)).toContain("0.png");
  });

  test("by rpo doctor, which loads the engine in processes of their own", async () => {
    const traces = await watch(join(folder, "doctor"), [program, "doctor", "--threads", "1"]);
    expect(traces).toMatchObject({ code: 0, ...quiet });
    expect(traces.output).toMatch(/GFLOP/);
  });

  test("by a program that imports rpo, whatever its environment says", async () => {
    const env = { ORT_DISABLE_TELEMETRY: "0" };
    const traces = await watch(join(folder, "example"), [join(root, "examples/draw.mjs"), join(folder, "drawn")], env);
    expect(traces).toMatchObject({ code: 0, ...quiet });
  });

  test("by a program's worker thread, whose main thread forbids it even after the thread began", async () => {
    const path = await drawingInThread("thread.mjs", `process.env.ORT_DISABLE_TELEMETRY = "1";`);
    expect(await watch(join(folder, "thread"), [path])).toMatchObject({ code: 0, output: "1 picture\n", ...quiet });
  });

  test("by a worker thread that could not forbid it: it gets a UsageError that says how", async () => {
    const path = await drawingInThread("refused.mjs", "");
    const traces = await watch(join(folder, "refused"), [path]);
    expect(traces).toMatchObject({ code: 2, ...quiet });
    expect(traces.output).toMatch(
      /^UsageError: rpo in a worker thread: start the program with ORT_DISABLE_TELEMETRY=1/,
    );
  });
});
