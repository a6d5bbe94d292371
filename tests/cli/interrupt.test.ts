import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";

const module = fileURLToPath(new URL("../../dist/cli/interrupt.js", import.meta.url));

/**
 * A command whose other thread stays in native code, as the engine does in a session's run: for longer than any test waits, so that what
 * waits for it does not pass.
 * @param then what the command does itself when the other thread is in there
 */
const source = (then: string) => `
  import { Worker } from "node:worker_threads";
  import { onInterrupt } from ${JSON.stringify(module)};
  const busy = \`import { pbkdf2Sync } from "node:crypto"; import { parentPort } from "node:worker_threads";
    parentPort.postMessage("in"); pbkdf2Sync("a", "b", 2 ** 31 - 1, 64, "sha512");\`;
  const worker = new Worker(new URL("data:text/javascript," + encodeURIComponent(busy)));
  onInterrupt((line) => process.stdout.write(line), () => process.stdout.write("left"));
  worker.once("message", () => { ${then} process.stdout.write(" ready "); });
`;

let child: ChildProcess | undefined;
afterEach(() => child?.kill("SIGKILL"));

/** Starts the command and waits until it is ready. */
async function start(then = "") {
  const started = spawn(process.execPath, ["--input-type=module", "-e", source(then)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  child = started;
  const seen = { text: "" };
  started.stdout.on("data", (chunk: Buffer) => (seen.text += chunk.toString()));
  const saw = async (text: string) => {
    while (!seen.text.includes(text)) await sleep(10);
  };
  await saw("ready");
  return { child: started, seen, saw };
}

test("a second Ctrl-C leaves at once, while the engine is in native code", async () => {
  const { child, seen, saw } = await start();
  child.kill("SIGINT");
  await saw("press Ctrl-C again");
  expect(child.exitCode).toBeNull();
  await sleep(200); // sooner it would be the same Ctrl-C
  child.kill("SIGINT");
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  // ended by the signal, which a shell counts as 130; no core dump (SIGABRT)
  expect([code, signal]).toEqual([null, "SIGINT"]);
  expect(seen.text).toMatch(/left$/);
});

test("one Ctrl-C that arrives twice, from the terminal and through npm, is one", async () => {
  // from within, for signals that are sent may come together or far apart
  const { child, seen } = await start('process.emit("SIGINT"); process.emit("SIGINT");');
  expect(seen.text).toMatch(/press Ctrl-C again/);
  expect(seen.text).not.toContain("left");
  expect([child.exitCode, child.signalCode]).toEqual([null, null]);
});
