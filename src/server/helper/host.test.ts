import { fork, type ChildProcess } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, expect, test } from "vitest";
import { createHelper, type Helper, type HelperOptions } from "./host.ts";

/** A process that answers "report" errands: "say WORD" at once, "hold" never, "die" by its end. */
const SCRIPT = `process.on("message", ({ id, errand: { run } }) => {
  process.send({ heard: run });
  if (run === "die") process.exit(1);
  if (run !== "hold") process.send({ id, result: run });
});
process.on("disconnect", () => process.exit(0));`;

let script: string;
beforeAll(async () => {
  script = join(await mkdtemp(join(tmpdir(), "rpo-helper-")), "child.cjs");
  await writeFile(script, SCRIPT);
});

let helper: Helper;
let heard: string[] = [];
let started: ChildProcess[] = [];
function helperOf(options: Partial<HelperOptions>) {
  [heard, started] = [[], []];
  helper = createHelper({
    ...{ atOnce: 1, mostWaiting: 3 },
    ...options,
    start() {
      const child = fork(script, { serialization: "advanced" });
      child.on("message", (message: object) => "heard" in message && heard.push(String(message.heard)));
      started.push(child);
      return child;
    },
  });
  return helper;
}
afterEach(() => helper.close());

const report = (run: string) => ({ kind: "report", run }) as const;

test("errands that load a model are done one at a time, in their order, and a line that is full refuses", async () => {
  const { ask } = helperOf({ longestMs: 1500 });
  const held = ask(report("hold"));
  const said = ["a", "b", "c"].map((run) => ask(report(run)));
  await expect(ask(report("d"))).rejects.toMatchObject({ status: 503 });
  await expect.poll(() => heard).toEqual(["hold"]);
  // the first takes longer than it may, which costs nobody else anything
  await expect(held).rejects.toThrow("the process that did it has ended");
  expect(await Promise.all(said)).toEqual(["a", "b", "c"]);
  expect(heard).toEqual(["hold", "a", "b", "c"]);
  expect(started.length).toBe(2);
});

test("what nobody waits for any more leaves the line, and is given up where it has begun", async () => {
  const { ask } = helperOf({});
  const [first, second] = [new AbortController(), new AbortController()];
  const held = ask(report("hold"), first.signal);
  const waiting = ask(report("never"), second.signal);
  const last = ask(report("last"));
  await expect.poll(() => heard).toEqual(["hold"]);
  second.abort();
  await expect(waiting).rejects.toMatchObject({ status: 503 });
  first.abort();
  await expect(held).rejects.toMatchObject({ status: 503 });
  expect(await last).toBe("last");
  expect(heard).toEqual(["hold", "last"]);
  // the model that was held is gone before the next is loaded
  expect(started[0].signalCode).toBe("SIGKILL");
});

test("several at a time go on when one of them is no longer wanted", async () => {
  const { ask } = helperOf({ atOnce: 2 });
  const gone = new AbortController();
  const held = ask(report("hold"), gone.signal);
  await expect.poll(() => heard).toEqual(["hold"]);
  gone.abort();
  await expect(held).rejects.toMatchObject({ status: 503 });
  expect(await ask(report("a"))).toBe("a");
  expect(started.length).toBe(1);
});

test("an errand that kills the process costs what was done there, and the next one finds another", async () => {
  const { ask } = helperOf({});
  const died = ask(report("die"));
  const next = ask(report("a"));
  await expect(died).rejects.toThrow("has ended");
  expect(await next).toBe("a");
});

test.each([
  ["the system says so later", () => fork(script, { execPath: join(tmpdir(), "no-such-program") })],
  [
    "it cannot even be tried",
    () => {
      throw new Error("spawn ENOMEM");
    },
  ],
])("where no process can be started each errand says so, and a later one finds one: %s", async (_name, start) => {
  let isFull = false;
  helper = createHelper({
    atOnce: 1,
    mostWaiting: 3,
    start: () => (isFull ? start() : fork(script, { serialization: "advanced" })),
  });
  const died = helper.ask(report("die"));
  // these two are begun when the end of the first is told
  const lost = Promise.allSettled([helper.ask(report("a")), helper.ask(report("b"))]);
  isFull = true;
  await expect(died).rejects.toThrow("has ended");
  const message: unknown = expect.stringContaining("no process can be started for it");
  const refused = { status: "rejected", reason: { status: 503, message } };
  expect(await lost).toMatchObject([refused, refused]);
  isFull = false;
  expect(await helper.ask(report("c"))).toBe("c");
});
