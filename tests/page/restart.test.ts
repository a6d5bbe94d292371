import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { makePhotos, root, temporaryFolder } from "../run/cli.ts";
import { ACTION, serve, type Served } from "./server.ts";

/** What a server leaves to the one that is started after it, and to one beside it. */

interface Job {
  readonly id: string;
  readonly state: string;
  readonly label: string;
  readonly message?: string;
  readonly process?: { readonly pid: number };
}

const ask = async <T>({ url }: Served, path: string, body?: object): Promise<T> => {
  const answer = await fetch(`${url}api/${path}`, {
    headers: ACTION,
    ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
};
const jobsIn = async (runs: string) =>
  (JSON.parse(await readFile(join(runs, ".rpo-queue.json"), "utf8").catch(() => '{"jobs":[]}')) as { jobs: Job[] })
    .jobs;

test("a server that is killed while a training loads its model is followed by one that waits for that training", async () => {
  const runs = await temporaryFolder();
  const settings = {
    ...{ images: await makePhotos(), class: "teapot", adapter: "lora" },
    ...{ steps: "4", validateEvery: "4", validationImages: "1", validationSteps: "2", negatives: "1" },
  };
  const first = await serve([runs], "--no-token");
  await ask(first, "training/start", { settings });
  await ask(first, "training/start", { settings });
  const pidOf = async () => (await jobsIn(runs))[0]?.process?.pid;
  await expect.poll(pidOf, { timeout: 30_000, interval: 5 }).toBeGreaterThan(0);
  // one that was not told to begin is begun anew, as another process
  const [{ id }] = await jobsIn(runs);
  await expect.poll(() => existsSync(join(runs, ".rpo-trainings", id, "begun")), { interval: 5 }).toBe(true);
  first.process.kill("SIGKILL");
  // else this test says nothing
  expect(existsSync(join(runs, "teapot-1", "lock.json"))).toBe(false);
  const pid = await pidOf();
  const second = await serve([runs], "--no-token");
  try {
    expect((await jobsIn(runs)).map((job) => [job.state, job.process?.pid])).toEqual([
      ["running", pid],
      ["waiting", undefined],
    ]);
    const states = async () => (await ask<{ jobs: Job[] }>(second, "queue")).jobs.map(({ state }) => state);
    await expect.poll(states, { timeout: 120_000 }).toEqual(["done", "done"]);
    for (const run of ["teapot-1", "teapot-2"]) {
      const events = (await readFile(join(runs, run, "events.jsonl"), "utf8")).trim().split("\n");
      expect(events.filter((line) => line.includes('"type":"start"')).length).toBe(1);
    }
    expect((await readdir(runs)).filter((name) => name.startsWith("teapot"))).toEqual(["teapot-1", "teapot-2"]);
    expect(await readdir(join(runs, ".rpo-trainings"))).toEqual([]);
  } finally {
    await second.stop();
  }
}, 240_000);

test("a training's process begins nothing before it is told that it was noted, and notes its exit code", async () => {
  const folder = await temporaryFolder();
  const [program, heard, begun, exit] = ["program.mjs", "heard", "begun", "exit"].map((name) => join(folder, name));
  await writeFile(
    program,
    `import { writeFileSync } from "node:fs";
writeFileSync(process.argv[2], process.argv[1]);
process.exitCode = 7;`,
  );
  const child = join(root, "dist/server/trainings/child.js");
  const start = () =>
    spawn(process.execPath, [child, begun, exit, program, heard], { stdio: ["pipe", "ignore", "ignore"] });
  const left = start();
  left.stdin.destroy();
  expect(await once(left, "exit")).toEqual([0, null]);
  expect([heard, begun, exit].filter((path) => existsSync(path))).toEqual([]);
  const told = start();
  told.stdin.end("go\n");
  expect(await once(told, "exit")).toEqual([7, null]);
  expect(await readFile(heard, "utf8")).toBe(program);
  expect(existsSync(begun)).toBe(true);
  expect(await readFile(exit, "utf8")).toBe("7\n");
});

test("of two servers over a folder the second shows runs without a queue, and takes it over when the first has ended", async () => {
  const runs = await temporaryFolder();
  const first = await serve([runs], "--no-token");
  await ask(first, "queue", { paused: true });
  const second = await serve([runs], "--no-token");
  try {
    expect(await ask(second, "queue")).toMatchObject({
      isKept: false,
      problems: [expect.stringMatching(`another rpo ui works here \\(process ${first.process.pid} on`)],
    });
    await expect(ask(second, "queue", { paused: false })).rejects.toThrow(/409.*another rpo ui works here/);
    expect(await ask(second, "runs")).toMatchObject({ runs: [] });
    await first.stop();
    expect(await ask(second, "queue")).toMatchObject({ isKept: true, paused: true, problems: [] });
  } finally {
    await first.stop();
    await second.stop();
  }
});

test.skipIf(process.platform === "win32" || process.platform === "darwin")(
  "the browser that --open starts is not given the token where other accounts can see it",
  async () => {
    const [bin, runs] = [await temporaryFolder(), await temporaryFolder()];
    const words = join(bin, "words");
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, "xdg-open"), `#!/bin/sh\necho "$@" > ${words}.new && mv ${words}.new ${words}\n`);
    await chmod(join(bin, "xdg-open"), 0o755);
    const before = process.env["PATH"];
    process.env["PATH"] = `${bin}${delimiter}${before}`;
    const server = await serve([runs], "--open").finally(() => (process.env["PATH"] = before));
    await expect.poll(() => existsSync(words)).toBe(true);
    const said = (await readFile(words, "utf8")).trim();
    expect(said).not.toContain(server.cookie.value);
    const file = fileURLToPath(said);
    expect((await stat(file)).mode & 0o077).toBe(0);
    expect(await readFile(file, "utf8")).toContain(`url=${server.printed}`);
    await server.stop();
    expect(existsSync(file)).toBe(false);
  },
);
