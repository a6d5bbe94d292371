import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { Interrupted, JobFailed, type Job, type JobQueue, type Perform } from "../../src/queue/queue.ts";

/** A queue with someone who works on it. */
export interface Setup {
  readonly queue: JobQueue<string, string>;
  /** Asks the work at hand to stop, and starts anew with an empty process but whatever the queue remembers. */
  close(): Promise<void>;
}

export type Performer = Perform<string, string>;
export interface SetupOptions {
  readonly perform: Performer;
  readonly concurrency?: number;
  readonly backoffMs?: number;
}

/** How long a slow machine may take for what is awaited. */
export const PATIENCE_MS = 30_000;

const job = (id: string, priority = 1): Job<string> => ({ id, label: `job ${id}`, priority, data: id });

function newGate() {
  let open: (() => void) | undefined;
  const opened = new Promise<undefined>((resolve) => (open = () => resolve(undefined)));
  return { opened, open: () => open?.() };
}

/** What every queue promises. */
export function queueContract(setUp: (options: SetupOptions) => Promise<Setup>): void {
  let open: Setup | undefined;
  const start = async (perform: Performer, options: Omit<SetupOptions, "perform"> = {}) => {
    open = await setUp({ perform, backoffMs: 50, ...options });
    return open.queue;
  };
  afterEach(async () => {
    await open?.close();
    open = undefined;
  });

  test("a job is done with its data, and gives its result", async () => {
    const queue = await start(({ data }) => Promise.resolve(`${data} done`));
    expect(await queue.run(job("a"))).toBe("a done");
    expect(await queue.list()).toMatchObject([
      { id: "a", label: "job a", state: "done", failures: 0, machine: "here" },
    ]);
  });

  test("many jobs that wait or rest at a time are no cause for a warning of Node's", async () => {
    const warnings: Error[] = [];
    const hear = (warning: Error) => warnings.push(warning);
    process.on("warning", hear);
    const queue = await start(() => Promise.reject(new Error("no")), { concurrency: 4 });
    const all = Array.from({ length: 24 }, (_, i) => queue.run(job(`j${i}`)));
    for (const { status } of await Promise.allSettled(all)) expect(status).toBe("rejected");
    process.off("warning", hear);
    expect(warnings).toEqual([]);
  });

  test("a job that is asked for several times is done once", async () => {
    const perform = vi.fn<Performer>(async ({ data }) => {
      await sleep(50);
      return data;
    });
    const queue = await start(perform, { concurrency: 2 });
    expect(await Promise.all([queue.run(job("a")), queue.run(job("a"))])).toEqual(["a", "a"]);
    expect(await queue.run(job("a"))).toBe("a");
    expect(perform).toHaveBeenCalledTimes(1);
  });

  test("jobs of a lower number begin first, equal ones as they came", async () => {
    const begun: string[] = [];
    const gate = newGate();
    const queue = await start(async ({ id }) => {
      begun.push(id);
      if (id === "first") await gate.opened;
      return id;
    });
    const first = queue.run(job("first"));
    await vi.waitFor(() => expect(begun).toEqual(["first"]), PATIENCE_MS);
    const others: Promise<string>[] = [];
    for (const [id, priority] of [
      ["c", 3],
      ["a", 1],
      ["b", 2],
      ["b2", 2],
    ] as const) {
      others.push(queue.run(job(id, priority)));
      await vi.waitFor(async () => expect((await queue.list()).map((each) => each.id)).toContain(id), PATIENCE_MS);
    }
    gate.open();
    await Promise.all([first, ...others]);
    expect(begun).toEqual(["first", "a", "b", "b2", "c"]);
  });

  test("as many at a time as it was told", async () => {
    let [now, most] = [0, 0];
    const two = newGate();
    const queue = await start(
      async ({ id }) => {
        most = Math.max(most, ++now);
        if (now === 2) two.open();
        await two.opened;
        await sleep(60); // for a third to begin, were it one that should not
        now--;
        return id;
      },
      { concurrency: 2 },
    );
    await Promise.all(["a", "b", "c", "d"].map((id) => queue.run(job(id))));
    expect(most).toBe(2);
  });

  test("a job that fails is tried again after growing pauses, and may yet be done", async () => {
    const times: number[] = [];
    const queue = await start(
      ({ id }) => {
        times.push(performance.now());
        return times.length < 3 ? Promise.reject(new Error("bad luck")) : Promise.resolve(id);
      },
      { backoffMs: 200 },
    );
    expect(await queue.run(job("a"))).toBe("a");
    expect(times[1] - times[0]).toBeGreaterThan(190);
    expect(times[2] - times[1]).toBeGreaterThan(380);
    expect(await queue.list()).toMatchObject([{ id: "a", state: "done", failures: 2 }]);
  });

  test("after three tries it has failed, and says why", async () => {
    const perform = vi.fn<Performer>(({ id }) =>
      id === "a" ? Promise.reject(new Error("no photos")) : Promise.resolve(id),
    );
    const queue = await start(perform);
    const failure: unknown = await queue.run(job("a")).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(JobFailed);
    expect((failure as Error).message).toBe("job a: no photos");
    expect(perform).toHaveBeenCalledTimes(3);
    expect(await queue.list()).toMatchObject([{ id: "a", state: "failed", failures: 3, error: "no photos" }]);
    expect(await queue.run(job("b"))).toBe("b");
  });

  test("the list shows what waits, and how far and where what runs is", async () => {
    const gate = newGate();
    const queue = await start(async ({ id }, control) => {
      control.report({ phase: "training", done: 3, total: 10 });
      await gate.opened;
      return id;
    });
    const both = [queue.run(job("run.a")), queue.run(job("run.b", 2))];
    await vi.waitFor(
      async () =>
        expect(await queue.list("run.")).toMatchObject([
          { id: "run.a", state: "running", progress: { phase: "training", done: 3, total: 10 }, machine: "here" },
          { id: "run.b", state: "waiting" },
        ]),
      PATIENCE_MS,
    );
    expect(await queue.list("other.")).toEqual([]);
    gate.open();
    await Promise.all(both);
  });

  test("closing asks the work at hand to stop, and whoever waits is told", async () => {
    let begun = false;
    const asked = newGate();
    const queue = await start((_, { signal }) => {
      begun = true;
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          asked.open();
          reject(new Interrupted());
        });
      });
    });
    const [running, waiting] = [queue.run(job("a")), queue.run(job("b", 2))].map((run) =>
      run.catch((error: unknown) => error),
    );
    await vi.waitFor(() => expect(begun).toBe(true), PATIENCE_MS);
    await open?.close();
    open = undefined;
    await asked.opened;
    expect(await running).toBeInstanceOf(Interrupted);
    expect(await waiting).toBeInstanceOf(Interrupted);
  });
}
