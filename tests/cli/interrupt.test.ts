import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";

const module = fileURLToPath(new URL("../../dist/cli/interrupt.js", import.meta.url));

/** A command whose other thread stays in native code for many seconds, as the engine does in a session's run. */
const source = `
  import { Worker } from "node:worker_threads";
  import { onInterrupt } from ${JSON.stringify(module)};
  const busy = "import { pbkdf2Sync } from 'node:crypto'; pbkdf2Sync('a', 'b', 3e7, 64, 'sha512');";
  new Worker(new URL("data:text/javascript," + encodeURIComponent(busy)));
  onInterrupt((line) => process.stdout.write(line), () => process.stdout.write("left"));
  setTimeout(() => process.stdout.write("ready"), 300);
`;

async function start() {
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const seen = { text: "" };
  child.stdout.on("data", (chunk: Buffer) => (seen.text += chunk.toString()));
  while (!seen.text.includes("ready")) await sleep(20);
  return { child, seen };
}

test("a second Ctrl-C leaves at once, while the engine is in native code", async () => {
  const { child, seen } = await start();
  child.kill("SIGINT");
  await sleep(400);
  expect(seen.text).toContain("press Ctrl-C again");
  expect(child.exitCode).toBeNull();
  const pressed = performance.now();
  child.kill("SIGINT");
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  expect(performance.now() - pressed).toBeLessThan(1000);
  // ended by the signal, which a shell counts as 130; no core dump (SIGABRT)
  expect([code, signal]).toEqual([null, "SIGINT"]);
  expect(seen.text).toMatch(/left$/);
});

test("one Ctrl-C that arrives twice, from the terminal and through npm, is one", async () => {
  const { child, seen } = await start();
  child.kill("SIGINT");
  while (!seen.text.includes("press")) await sleep(5);
  child.kill("SIGINT");
  await sleep(500);
  expect(child.signalCode).toBeNull();
  expect(seen.text).not.toContain("left");
  child.kill("SIGKILL");
});
