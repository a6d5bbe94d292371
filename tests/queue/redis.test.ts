import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Interrupted, type JobQueue, type Perform } from "../../src/queue/queue.ts";
import { checkRedis, parseRedisUrl, type RedisAddress } from "../../src/queue/redis-connection.ts";
import { createRedisQueue } from "../../src/queue/redis-queue.ts";
import { startRedisWorker } from "../../src/queue/redis-worker.ts";
import { UsageError } from "../../src/system/errors.ts";
import { PATIENCE_MS, queueContract } from "./contract.ts";
import { freePort, NO_REDIS, startRedis, type TestRedis } from "./redis-server.ts";

const job = (id: string) => ({ id, label: `job ${id}`, priority: 1, data: id });

describe.skipIf(NO_REDIS !== undefined)("the queue on Redis", () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  let queues = 0;
  const newName = () => `test-${++queues}`;
  const queueOf = (name: string, address: RedisAddress = parseRedisUrl(redis.url)): JobQueue<string, string> =>
    createRedisQueue({ address, name, backoffMs: 50, pollMs: 20 });
  // locks that outlast an outage, and a machine that stands still: nothing is delivered twice
  const times = { lockMs: 20_000, stalledMs: 300 };
  const workerOf = (name: string, perform: Perform<string, string>, machine = "here") =>
    startRedisWorker({ address: parseRedisUrl(redis.url), name, perform, machine, ...times });

  queueContract(({ perform, concurrency = 1, backoffMs = 50 }) => {
    const name = newName();
    const address = parseRedisUrl(redis.url);
    const queue = createRedisQueue<string, string>({ address, name, backoffMs, pollMs: 20 });
    const worker = startRedisWorker({ address, name, perform, concurrency, machine: "here", ...times });
    return Promise.resolve({
      queue,
      async close() {
        await Promise.all([queue.close(), worker.close()]);
      },
    });
  });

  test("it says once when no worker listens", async () => {
    const name = newName();
    const lines: string[] = [];
    const queue = createRedisQueue<string, string>({
      address: parseRedisUrl(redis.url),
      name,
      pollMs: 20,
      workersMs: 30,
      say: (line) => lines.push(line),
    });
    const result = queue.run(job("a"));
    await vi.waitFor(() => expect(lines).toHaveLength(1), PATIENCE_MS);
    expect(lines[0]).toMatch(/^no worker of rpo [\d.]+ listens there yet: start rpo worker/);
    const worker = workerOf(name, () => Promise.resolve("done"));
    expect(await result).toBe("done");
    await sleep(100);
    expect(lines).toHaveLength(1);
    await Promise.all([queue.close(), worker.close()]);
  });

  test("a job that one worker gives back is done by another", async () => {
    const name = newName();
    const queue = queueOf(name);
    let begun = false;
    const leaving = workerOf(name, (_, { signal }) => {
      begun = true;
      return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Interrupted())));
    });
    const result = queue.run(job("a"));
    await vi.waitFor(() => expect(begun).toBe(true), PATIENCE_MS);
    await leaving.close();
    const staying = workerOf(name, () => Promise.resolve("done there"), "there");
    expect(await result).toBe("done there");
    expect(await queue.list()).toMatchObject([{ state: "done", machine: "there", failures: 0 }]);
    await Promise.all([queue.close(), staying.close()]);
  });

  test("a job that ended before the queue was opened is done again: its files may be gone", async () => {
    const name = newName();
    const perform = vi.fn<Perform<string, string>>(({ data }) => Promise.resolve(data));
    const worker = workerOf(name, perform);
    for (const times of [1, 2]) {
      const queue = queueOf(name);
      expect(await queue.run(job("a"))).toBe("a");
      expect(await queue.run(job("a"))).toBe("a");
      expect(perform).toHaveBeenCalledTimes(times);
      await queue.close();
    }
    await worker.close();
  });

  test("jobs, workers and whoever waits outlive a Redis that is killed and started again", async () => {
    const name = newName();
    const queue = queueOf(name);
    const perform = vi.fn<Perform<string, string>>(async ({ data }) => {
      await sleep(300);
      return data;
    });
    const worker = workerOf(name, perform);
    const results = Promise.all(["a", "b", "c", "d"].map((id) => queue.run(job(id))));
    await vi.waitFor(() => expect(perform).toHaveBeenCalledTimes(2), PATIENCE_MS);
    await redis.restart(500);
    expect(await results).toEqual(["a", "b", "c", "d"]);
    expect(perform).toHaveBeenCalledTimes(4);
    await Promise.all([queue.close(), worker.close()]);
  });

  test("a job that a Redis has forgotten is put there again", async () => {
    const name = newName();
    const queue = queueOf(name);
    const result = queue.run(job("a"));
    await vi.waitFor(async () => expect(await queue.list()).toHaveLength(1), PATIENCE_MS);
    redis.command("flushall");
    const worker = workerOf(name, ({ data }) => Promise.resolve(data));
    expect(await result).toBe("a");
    await Promise.all([queue.close(), worker.close()]);
  });

  test("what others wrote into the Redis is named and passed over, by the list, the worker and whoever waits", async () => {
    const name = newName();
    const [key, lines]: [string, string[]] = [`bull:${name}`, []];
    const say = (line: string) => lines.push(line);
    const queue = createRedisQueue<string, string>({ address: parseRedisUrl(redis.url), name, pollMs: 20, say });
    const content = (label: unknown, more = {}) => ({ data: JSON.stringify({ label, data: "d" }), ...more });
    const hashes: Record<string, Record<string, string> | string> = {
      "no-json": { data: "{\u001b[2J" },
      "no-options": content("a", { opts: "[" }),
      "no-label": { data: "{}" },
      "no-object": { data: "7" },
      "long-label": content("x".repeat(1e6)),
      "wrong-progress": content("a", { progress: '{"phase":"p","done":"many","total":1}' }),
      "no-hash": "a string",
      escapes: content("\u001b]0;title\u0007 two\nlines", { failedReason: "\u001b[2J".repeat(1e5) }),
    };
    for (const [id, fields] of Object.entries(hashes)) {
      if (typeof fields === "string") redis.command("set", `${key}:${id}`, fields);
      else for (const [field, value] of Object.entries(fields)) redis.write(["hset", `${key}:${id}`, field], value);
      redis.command("lpush", `${key}:wait`, id);
    }
    redis.command("lpush", `${key}:wait`, "no-job");
    redis.command("set", `${key}:completed`, "of another type");
    redis.command("lpush", `${key}:wait`, "\u001b[2J");

    const shown = await queue.list();
    expect(shown.map(({ id }) => id)).toEqual(["escapes"]);
    expect(shown[0].label).toBe("\\x1b]0;title\\x07 two lines");
    expect(shown[0].error).toHaveLength(1751); // of 1000 characters, 250 that are shown by four each, and a mark of the cut
    await queue.list();
    for (const what of [...Object.keys(hashes).filter((id) => id !== "escapes"), "no-job", `${key}:completed`])
      expect(lines.filter((line) => line.includes(` ${what} is passed over: `) && line.length < 400)).toHaveLength(1);
    expect(lines.join("")).not.toMatch(/[\u0000-\u001f]/);

    redis.command("del", `${key}:completed`);
    const complaints: string[] = [];
    const done: string[] = [];
    const worker = startRedisWorker<string, string>({
      address: parseRedisUrl(redis.url),
      name,
      perform: ({ id }) => Promise.resolve(id),
      machine: "here",
      ...times,
      say: (line) => complaints.push(line),
      onJob: (label, event) => event === "done" && done.push(label),
    });
    expect(await queue.run(job("good"))).toBe("good");
    expect(done).toContain("job good");
    for (const id of ["no-label", "no-object", "long-label", "no-job"])
      expect(complaints.filter((line) => line.includes(`job ${id} is refused: `))).toHaveLength(1);
    await Promise.all([queue.close(), worker.close()]);
  });

  test("a Redis that answers with errors is waited for, and not asked without pause", async () => {
    const name = newName();
    const lines: string[] = [];
    const say = (line: string) => lines.push(line);
    const queue = createRedisQueue<string, string>({ address: parseRedisUrl(redis.url), name, pollMs: 20, say });
    redis.command("set", `bull:${name}:wait`, "of another type");
    const worker = workerOf(name, ({ data }) => Promise.resolve(data));
    const result = queue.run(job("a"));
    await vi.waitFor(() => expect(lines.join()).toContain("WRONGTYPE"), PATIENCE_MS);
    redis.command("config", "resetstat");
    await sleep(300);
    // neither asks without pause, nor says it again
    expect(Number(/evalsha:calls=(\d+)/.exec(redis.command("info", "commandstats"))?.[1])).toBeLessThan(100);
    expect(lines).toHaveLength(1);
    redis.command("del", `bull:${name}:wait`);
    expect(await result).toBe("a");
    await Promise.all([queue.close(), worker.close()]);
  });

  test("closing does not wait for a Redis that is away, whatever is asked of it or is to be given back", async () => {
    const lonely = await startRedis();
    const [name, address] = [newName(), parseRedisUrl(lonely.url)];
    const queue = queueOf(name, address);
    const untilStopped: Perform<string, string> = (_, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Interrupted())));
    const [busy, idle] = [untilStopped, () => Promise.resolve("")].map((perform, i) =>
      startRedisWorker({ address, name: i === 0 ? name : newName(), perform, machine: "here", ...times }),
    );
    const result = queue.run(job("a")).catch((error: unknown) => error);
    await vi.waitFor(async () => expect(await queue.list()).toMatchObject([{ state: "running" }]), PATIENCE_MS);
    await lonely.stop();
    await sleep(200); // for all to notice
    const list = queue.list().catch((error: unknown) => error);
    await queue.close();
    expect(await result).toBeInstanceOf(Interrupted);
    expect(await list).toBeInstanceOf(Interrupted);
    expect(await Promise.all([busy.close(), idle.close()])).toEqual([false, false]);
  });

  test("a password is needed where there is one, and is in no message", async () => {
    const guarded = await startRedis("--requirepass", "open sesame");
    const at = `127.0.0.1:${guarded.port}`;
    await expect(checkRedis(parseRedisUrl(`redis://${at}`))).rejects.toThrow(`redis redis://${at}/0: wants a password`);
    const wrong = checkRedis(parseRedisUrl(`redis://:shut@${at}`));
    await expect(wrong).rejects.toThrow("refuses this user or password");
    await expect(wrong).rejects.not.toThrow("shut");
    const address = parseRedisUrl(`redis://:open%20sesame@${at}`);
    await checkRedis(address);
    const queue = queueOf("guarded", address);
    const worker = startRedisWorker<string, string>({
      address,
      name: "guarded",
      perform: ({ data }) => Promise.resolve(data),
      machine: "here",
    });
    expect(await queue.run(job("a"))).toBe("a");
    await Promise.all([queue.close(), worker.close()]);
    await guarded.stop();
  });

  test("TLS: with the authority's certificate it works, without it says what is missing", async () => {
    const folder = await mkdtemp(join(tmpdir(), "rpo-tls-"));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        key,
        "-out",
        cert,
      ],
      { stdio: "ignore" },
    );
    const tlsPort = await freePort();
    const secure = await startRedis(
      "--tls-port",
      `${tlsPort}`,
      "--tls-cert-file",
      cert,
      "--tls-key-file",
      key,
      "--tls-auth-clients",
      "no",
    );
    const url = `rediss://localhost:${tlsPort}`;
    await expect(checkRedis(parseRedisUrl(url))).rejects.toThrow("NODE_EXTRA_CA_CERTS");
    await expect(checkRedis(parseRedisUrl(`redis://localhost:${tlsPort}`))).rejects.toThrow("does it speak TLS");
    const module = new URL("../../dist/queue/redis-connection.js", import.meta.url).href;
    const script = `import { checkRedis, parseRedisUrl } from "${module}"; await checkRedis(parseRedisUrl("${url}")); process.stdout.write("in");`;
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: cert };
    expect(execFileSync(process.execPath, ["--input-type=module", "-e", script], { env }).toString()).toBe("in");
    await secure.stop();
    await rm(folder, { recursive: true });
  });
});

test("a port where nobody answers is one line, at once", async () => {
  const port = await freePort();
  const refused = checkRedis(parseRedisUrl(`redis://127.0.0.1:${port}`));
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(/^redis redis:\/\/127\.0\.0\.1:\d+\/0: no Redis answers there[^\n]*$/);
});

test.each([["localhost:6379"], ["http://localhost"], ["redis://"], ["redis://host/main"]])(
  "%s is no Redis's address",
  (url) => {
    expect(() => parseRedisUrl(url)).toThrow(/^redis: expected redis:/);
  },
);

test("an address is read to its parts, the password decoded", () => {
  const { name, options } = parseRedisUrl("rediss://me:a%2Fb@[::1]:7000/3");
  expect(name).toBe("rediss://[::1]:7000/3");
  expect(options).toMatchObject({ host: "::1", port: 7000, db: 3, username: "me", password: "a/b", tls: {} });
  expect(parseRedisUrl("redis://box").options).toMatchObject({ host: "box", port: 6379, db: 0 });
});
