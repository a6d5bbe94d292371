import { expect, test } from "vitest";
import { openService } from "../../src/engine/services/host.ts";
import { UsageError } from "../../src/system/errors.ts";

/** A thread that answers each request by what its text asks for. */
const FAKE = `
  import { parentPort } from "node:worker_threads";
  const fail = (name, message) => parentPort.postMessage({ kind: "failure", name, message, stack: undefined });
  let asked = 0;
  parentPort.on("message", async (message) => {
    if (message.kind === "load") return parentPort.postMessage({ kind: "result" });
    if (message.kind === "release") return parentPort.close();
    asked++;
    const [text] = message.request.texts;
    if (text === "die") process.exit(3);
    if (text === "misuse") return fail("UsageError", "what and where");
    if (text === "wait") {
      parentPort.postMessage({ kind: "event", event: { type: "warning", text: "waiting" } });
      while (Atomics.load(message.stop, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      return fail("Interrupted", "interrupted");
    }
    parentPort.postMessage({ kind: "result", result: [{ alignI: asked, alignT: 0 }] });
  });
`;

async function openFake(source = FAKE) {
  const module = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
  const service = await openService("reward", { model: "model", threads: 1 }, {}, module);
  const ask = (text: string, listeners = {}) =>
    service.request({ references: "photos", pictures: [], texts: [text] }, listeners);
  return { ...service, ask };
}

test("requests are answered in their order, errors with their kind, and the thread lives on", async () => {
  const { ask, release } = await openFake();
  const answers = await Promise.allSettled([ask("first"), ask("misuse"), ask("third")]);
  expect(answers).toMatchObject([
    { status: "fulfilled", value: [{ alignI: 1 }] },
    { status: "rejected", reason: new UsageError("what and where") },
    { status: "fulfilled", value: [{ alignI: 3 }] },
  ]);
  await release();
});

test("a signal gives up its own request alone, whether that is under way or waits", async () => {
  const { ask, release } = await openFake();
  const [first, waiting] = [new AbortController(), new AbortController()];
  const reasons = [new Error("first"), new Error("waiting")];
  const underWay = ask("wait", { signal: first.signal, onEvent: () => first.abort(reasons[0]) });
  const behind = ask("never asked", { signal: waiting.signal });
  waiting.abort(reasons[1]);
  await expect(underWay).rejects.toBe(reasons[0]);
  await expect(behind).rejects.toBe(reasons[1]);
  expect(await ask("next")).toMatchObject([{ alignI: 2 }]);
  await release();
});

test("what a listener throws gives up its own request alone, and is what the caller gets", async () => {
  const { ask, release } = await openFake();
  const mine = new Error("mine");
  const onEvent = () => {
    throw mine;
  };
  await expect(ask("wait", { onEvent })).rejects.toBe(mine);
  expect(await ask("next")).toMatchObject([{ alignI: 2 }]);
  await release();
});

test("a thread that dies fails what is asked of it then and later, and can be released", async () => {
  const { ask, release } = await openFake();
  const death = "the engine's thread ended (code 3): is there enough memory?";
  await expect(ask("die")).rejects.toThrow(death);
  await expect(ask("more")).rejects.toThrow(death);
  await release();
});

test("a model that cannot be loaded is an error of its kind", async () => {
  const source = `import { parentPort } from "node:worker_threads";
    parentPort.postMessage({ kind: "failure", name: "UsageError", message: "no model", stack: undefined });`;
  await expect(openFake(source)).rejects.toEqual(new UsageError("no model"));
});

test("releasing waits for the requests before it, can be repeated, and ends the use", async () => {
  const { ask, release } = await openFake();
  const answer = ask("first");
  await Promise.all([release(), release()]);
  expect(await answer).toMatchObject([{ alignI: 1 }]);
  await expect(ask("more")).rejects.toEqual(new UsageError("the reward has been released; load it again"));
});
