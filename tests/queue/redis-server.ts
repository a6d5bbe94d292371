import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Why tests with a Redis cannot run here; undefined where they can. */
export const NO_REDIS =
  spawnSync("redis-server", ["--version"]).status === 0
    ? undefined
    : "no redis-server here (Debian: apt-get install redis-server): tests of the queue on Redis are skipped";
if (NO_REDIS !== undefined) process.stderr.write(`${NO_REDIS}\n`);

/** A Redis of a test's own: a free port, a temporary folder, every write on the disk before it is answered. */
export interface TestRedis {
  readonly port: number;
  readonly url: string;
  /** Stops it as a crash would, and starts it again after a pause. */
  restart(pauseMs?: number): Promise<void>;
  /** What redis-cli does. */
  command(...words: readonly string[]): string;
  /** The same with a last word that is long or strange. */
  write(words: readonly string[], last: string): void;
  stop(): Promise<void>;
}

export async function startRedis(...extra: readonly string[]): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), "rpo-redis-"));
  const port = await freePort();
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "yes"];
  const start = async () => {
    const child = spawn("redis-server", [...args, "--appendfsync", "always", ...extra], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let log = "";
    child.stdout.on("data", (chunk: Buffer) => (log += chunk.toString()));
    while (!log.includes("Ready to accept connections")) {
      if (child.exitCode !== null) throw new Error(`redis-server ended:\n${log}`);
      await sleep(20);
    }
    return child;
  };
  let server: ChildProcess = await start();
  const kill = async () => {
    const ended = once(server, "exit");
    server.kill("SIGKILL");
    await ended;
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    async restart(pauseMs = 1000) {
      await kill();
      await sleep(pauseMs);
      server = await start();
    },
    command: (...words) => execFileSync("redis-cli", ["-p", `${port}`, ...words]).toString(),
    write: (words, last) =>
      void execFileSync("redis-cli", ["-p", `${port}`, "-x", ...words], {
        input: last,
        stdio: ["pipe", "ignore", "inherit"],
      }),
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
