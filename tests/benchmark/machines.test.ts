import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VERSION } from "../../src/system/version.ts";
import { NO_REDIS, startRedis, type TestRedis } from "../queue/redis-server.ts";
import { MODEL, REWARD, rpo, root, temporaryFolder } from "../run/cli.ts";
import { IS_THOROUGH } from "../thorough.ts";

const SUBJECTS = ["dog", "vase"];
const METHODS = ["base", "l-sim", "rpo"];

let folder = "";
let flags: string[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder, "judges"));
  for (const judge of ["dino", "clip"])
    await symlink(join(root, "tests/golden/parity/checkpoints", `${judge}-tiny`), join(folder, "judges", judge));
  const config = join(folder, "config.json");
  await writeFile(
    config,
    JSON.stringify({ validateEvery: 15, validationImages: 1, validationSteps: 2, negatives: 1, lr: 1e-3 }),
  );
  const small = ["--steps", "60", "--prompts-per-subject", "2", "--pictures", "2", "--drawing-steps", "2"];
  const models = ["--model", MODEL, "--reward", REWARD, "--judges", join(folder, "judges"), "--config", config];
  const chosen = ["--subjects", SUBJECTS.join(","), "--methods", METHODS.join(",")];
  flags = ["bench", "tinybench", ...chosen, ...models, ...small, "--threads", "1"];
});

/** The rows of a benchmark, sorted, without the seconds. */
async function rowsOf(output: string): Promise<unknown[]> {
  const lines = (await readFile(join(output, "results.jsonl"), "utf8")).trim().split("\n").sort();
  return lines.map((line) => ({ ...(JSON.parse(line) as object), seconds: 0, memory: null }));
}

/** Waits until some worker is in the middle of a training run. */
async function workerAtAStep(output: string, workers: readonly ChildProcess[]): Promise<number> {
  for (;;) {
    for (const name of await readdir(join(output, "train")).catch((): string[] => [])) {
      const events = await readFile(join(output, "train", name, "events.jsonl"), "utf8").catch(() => "");
      const worker = workers.findIndex(({ pid }) => name.includes(`-${pid}-`));
      if (worker >= 0 && events.includes('"type":"step"')) return worker;
    }
    await sleep(20);
  }
}

/** How long Redis is away: `RPO_OUTAGE_SECONDS=60 npx vitest run tests/benchmark/machines.test.ts` for a minute. */
const OUTAGE_MS = 1000 * Number(process.env["RPO_OUTAGE_SECONDS"] ?? 2);

describe.skipIf(NO_REDIS !== undefined)("a benchmark on several machines", () => {
  let redis: TestRedis;
  const workers: ChildProcess[] = [];
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => {
    for (const worker of workers) worker.kill("SIGKILL");
    await redis.stop();
  });
  const start = (...args: readonly string[]) => {
    const child = spawn(process.execPath, [join(root, "dist/cli/main.js"), ...args, "--redis", redis.url], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const seen = { child, stderr: "" };
    child.stderr.on("data", (chunk: Buffer) => (seen.stderr += chunk.toString()));
    return seen;
  };
  const startWorker = () => {
    const worker = start("worker", "--threads", "1");
    workers.push(worker.child);
    return worker;
  };

  let alone = "";
  beforeAll(async () => {
    alone = join(folder, "alone");
    const inProcess = await rpo([...flags, "--output", alone]);
    expect(inProcess.code, inProcess.stderr).toBe(0);
  }, 240_000);

  test(
    "one killed and Redis crashing midway: every job ends once, and the figures are those of one process",
    { timeout: 240_000 },
    async () => {
      const shared = join(folder, "shared");
      for (let i = 0; i < 3; i++) startWorker();
      const finished = rpo([...flags, "--output", shared, "--redis", redis.url]);
      const victim = workers[await workerAtAStep(shared, workers)];
      victim.kill("SIGKILL");
      await once(victim, "exit");
      await redis.restart(1000);
      const outcome = await finished;
      expect(outcome.code, outcome.stderr).toBe(0);

      expect(await rowsOf(shared)).toEqual(await rowsOf(alone));
      expect(await rowsOf(shared)).toHaveLength(SUBJECTS.length * 5);
      // every job's folder is there once and whole, and nothing is left of those that a dead worker had begun
      for (const kind of ["train", "draw", "score"])
        expect(await readdir(join(shared, kind))).toEqual(await readdir(join(alone, kind)));
      const status = async () => {
        const { stdout, stderr } = await rpo(["bench", "status", shared, "--redis", redis.url, "--json"]);
        return { ...(JSON.parse(stdout) as { jobs: { id: string; state: string }[] }), stderr };
      };
      const { jobs } = await status();
      expect(new Set(jobs.map(({ id }) => id)).size).toBe(jobs.length);
      expect(jobs.filter(({ state }) => state !== "done")).toEqual([]);
      // one that somebody wrote over is named, and the others are shown
      const [{ id }, ...others] = jobs;
      redis.command("hset", `bull:rpo-${VERSION}:${id}`, "data", "{\u001b[2J");
      const after = await status();
      expect(after.jobs).toEqual(others);
      expect(after.stderr).toMatch(new RegExp(`^redis://[^ ]+: job ${id} is passed over: [ -~]+\n$`));
    },
  );

  test.runIf(IS_THOROUGH)(
    "a Redis that is away while both stand still, that forgets all, and that breaks every connection is waited for",
    { timeout: 240_000 + 2 * OUTAGE_MS },
    async () => {
      const output = join(folder, "outages");
      const worker = startWorker();
      const coordinator = start(...flags, "--subjects", "dog", "--output", output);
      const finished = once(coordinator.child, "exit");
      await workerAtAStep(output, workers);
      const living = workers.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
      // their sockets break while they cannot see it: the first thing that they do next is to write into them
      for (const child of [...living, coordinator.child]) child.kill("SIGSTOP");
      await redis.restart(OUTAGE_MS);
      for (const child of [...living, coordinator.child]) child.kill("SIGCONT");
      await sleep(500);
      redis.command("flushall");
      await sleep(500);
      redis.command("client", "kill", "type", "normal");
      await redis.restart(OUTAGE_MS);

      expect(await finished, coordinator.stderr).toEqual([0, null]);
      const ofTheDog = (await rowsOf(alone)).filter((row) => (row as { subject: string }).subject === "dog");
      expect(await rowsOf(output)).toEqual(ofTheDog);
      for (const kind of ["train", "draw", "score"])
        expect(await readdir(join(alone, kind))).toEqual(expect.arrayContaining(await readdir(join(output, kind))));
      expect(coordinator.stderr).not.toContain("nobody reads");
      for (const { exitCode } of living) expect(exitCode).toBeNull();
      worker.child.kill("SIGTERM");
      expect(await once(worker.child, "exit"), worker.stderr).toEqual([0, null]);
    },
  );
});
