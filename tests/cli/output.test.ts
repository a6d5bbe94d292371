import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { eventsOf, makePhotos, root, temporaryFolder, trainingArgs } from "../run/cli.ts";

const distUrl = (file: string) => JSON.stringify(fileURLToPath(new URL(`../../dist/cli/${file}`, import.meta.url)));

/** A command that writes into a socket whose other side is gone, as that of a Redis that was killed, and then says how it is. */
const WITH_BROKEN_SOCKET = `
  import { connect, createServer } from "node:net";
  import { once } from "node:events";
  import { onInterrupt } from ${distUrl("interrupt.js")};
  import { watchOutput } from ${distUrl("output.js")};
  watchOutput();
  const { signal } = onInterrupt((line) => process.stderr.write(line), () => undefined);
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const broken = connect(server.address().port, "127.0.0.1");
  const [other] = await once(server, "connection");
  const codes = [];
  broken.on("error", ({ code }) => codes.push(code));
  other.destroy();
  broken.write("this is answered with a reset");
  // the thread stands still, so that the reset is there before it is read
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  broken.write("this raises SIGPIPE");
  await new Promise((resolve) => broken.on("close", resolve));
  await new Promise((resolve) => setTimeout(resolve, 50));
  process.stdout.write(JSON.stringify({ codes, asked: signal.aborted }));
  process.exit();
`;

test("a broken socket is not a reader of the output that has gone away", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", WITH_BROKEN_SOCKET], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await once(child, "close");
  expect(JSON.parse(text)).toEqual({ codes: ["EPIPE"], asked: false });
});

/** A command that writes to both until it is asked to end. */
const TALKING = `
  import { onInterrupt } from ${distUrl("interrupt.js")};
  import { watchOutput } from ${distUrl("output.js")};
  watchOutput();
  const { signal } = onInterrupt((line) => process.stderr.write(line), () => undefined);
  while (!signal.aborted) {
    process.stdout.write("a line\\n");
    process.stderr.write("a line\\n");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  process.exitCode = 130;
`;

test.each(["stdout", "stderr"] as const)("a command whose %s nobody reads any more is asked to end", async (closed) => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", TALKING], { stdio: ["ignore", "pipe", "pipe"] });
  child[closed].once("data", () => child[closed].destroy());
  for (const open of [child.stdout, child.stderr]) open.resume();
  expect(await once(child, "exit")).toEqual([130, null]);
});

test("a training whose output nobody reads any more finishes its step, saves and ends in order", async () => {
  const folder = await temporaryFolder();
  const config = join(folder, "config.json");
  const short = { validateEvery: 100, validationImages: 1, validationSteps: 1, negatives: 1, lr: 1e-3 };
  await writeFile(config, JSON.stringify(short));
  const run = join(folder, "run");
  const args = [...trainingArgs(await makePhotos(1)), "--json", "--steps", "100", "--config", config];
  const child = spawn(process.execPath, [join(root, "dist/cli/main.js"), ...args, "--output", run], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stderr.resume();
  child.stdout.on("data", (chunk: Buffer) => {
    if (!chunk.includes('"type":"step"')) return;
    for (const stream of [child.stdout, child.stderr]) stream.destroy();
  });
  expect(await once(child, "exit")).toEqual([130, null]);
  const events = (await eventsOf(run)) as { type: string; step: number; reason?: string }[];
  const last = events.at(-1);
  expect(last).toMatchObject({ type: "stop", reason: "interrupted" });
  const { step } = JSON.parse(await readFile(join(run, "state.json"), "utf8")) as { step: number };
  expect(step).toBe(last?.step);
  expect(step).toBeGreaterThan(0);
});
