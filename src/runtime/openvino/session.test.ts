import { describe, expect, test } from "vitest";
import { encodeGraph, feedName } from "../../graph/encode.ts";
import { Graph, type Value } from "../../graph/graph.ts";
import { add, div, matmul, mul, sqrt, sub, tanh } from "../../graph/ops/index.ts";
import { Random } from "../../tensor/random.ts";
import { float32, zeros, type Tensor } from "../../tensor/tensor.ts";
import { compile } from "../compile.ts";
import { openOpenvino } from "./library.ts";
import { openSession, type OpenvinoOptions, type OpenvinoSession } from "./session.ts";

const { api, ...why } = openOpenvino();
if ("reason" in why)
  process.stderr.write(`skipped: ${why.reason}
`);

type Outputs = Readonly<Record<string, Value>>;

function open(outputs: Outputs, options: Partial<OpenvinoOptions> = {}): Promise<OpenvinoSession> {
  if (api === undefined) throw new Error("OpenVINO is not installed");
  const { model: onnx, inputs } = encodeGraph(outputs);
  const model = { onnx, inputs: inputs.map(input), outputs: Object.keys(outputs) };
  return openSession(api, model, { threads: 1, ...options });
}

function input(name: string): string {
  return feedName({ kind: "input", name });
}

function fed(tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [input(name), tensor]));
}

function buffers(outputs: Outputs): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(outputs).map(([name, { shape }]) => [name, zeros(shape)]));
}

async function withSession<R>(opening: Promise<OpenvinoSession>, work: (session: OpenvinoSession) => Promise<R>) {
  const session = await opening;
  try {
    return await work(session);
  } finally {
    await session.release();
  }
}

/** How far results are apart, in parts of the largest element. */
function distance(actual: Tensor, expected: Tensor): number {
  const largest = Math.max(1e-3, ...Array.from(expected.data, Math.abs));
  return Math.max(0, ...Array.from(expected.data, (x, i) => Math.abs(x - actual.data[i]) / largest));
}

describe.skipIf(api === undefined)("a session of OpenVINO", { timeout: 120_000 }, () => {
  test("updates AdamW's weights and moments where they lie, as ONNX Runtime does", async () => {
    const size = 10_007;
    const graph = new Graph();
    const [w, g, m, v] = ["w", "g", "m", "v"].map((name) => graph.input(name, [size]));
    const rate = graph.input("rate", []);
    const nextM = add(mul(m, 0.9), mul(g, 0.1));
    const nextV = add(mul(v, 0.999), mul(mul(g, g), 0.001));
    const nextW = sub(mul(w, sub(1, mul(rate, 0.01))), mul(rate, div(nextM, add(sqrt(nextV), 1e-8))));
    const outputs = { w: nextW, m: nextM, v: nextV };
    const start = () => {
      const rng = new Random(3);
      const [w, g, m] = [0, 1, 2].map(() => rng.normal([size]));
      return { w, g, m, v: float32(rng.normal([size]).data.map((x) => x * x)), rate: float32([1e-2], []) };
    };
    const [expected, actual] = [start(), start()];
    const compiled = await compile(outputs, { threads: 1 });
    await withSession(open(outputs), async (session) => {
      session.bind({ ...fed(actual), w: actual.w, m: actual.m, v: actual.v });
      for (let step = 0; step < 5; step++) {
        await session.run();
        await compiled.run(expected, { w: expected.w, m: expected.m, v: expected.v });
      }
    });
    await compiled.release();
    for (const name of ["w", "m", "v"] as const) expect(distance(actual[name], expected[name])).toBeLessThan(1e-6);
    expect(distance(actual.w, start().w)).toBeGreaterThan(1e-3);
  });

  test("gives outputs of one value, and an input as it came, each its own array", async () => {
    const graph = new Graph();
    const x = graph.input("x", [3]);
    const y = add(x, 1);
    const outputs = { a: y, b: y, c: x, d: mul(y, 2) };
    const [results, given] = [buffers(outputs), float32([1, 2, 3])];
    await withSession(open(outputs), (session) => {
      session.bind({ ...fed({ x: given }), ...results });
      return session.run();
    });
    expect(Object.values(results).map(({ data }) => [...data])).toEqual([
      [2, 3, 4],
      [2, 3, 4],
      [1, 2, 3],
      [4, 6, 8],
    ]);
  });

  test("repeats to the bit, in one session and from session to session", async () => {
    const { outputs, given } = deepGraph(4, 96);
    const runs: Tensor[] = [];
    for (let i = 0; i < 2; i++)
      await withSession(open(outputs, { threads: 2 }), async (session) => {
        for (let k = 0; k < 5; k++) {
          const { y } = buffers(outputs);
          session.bind({ ...fed(given), y });
          await session.run();
          runs.push(y);
        }
      });
    for (const { data } of runs) expect(data).toEqual(runs[0].data);
  });

  test("stops within a run when its signal aborts, and runs again", async () => {
    const { outputs, given } = deepGraph(200, 256);
    await withSession(open(outputs), async (session) => {
      const { y } = buffers(outputs);
      session.bind({ ...fed(given), y });
      const whole = await seconds(() => session.run());
      const controller = new AbortController();
      const reason = new Error("stop");
      const stopped = await seconds(async () => {
        setTimeout(() => controller.abort(reason), 20);
        await expect(session.run(controller.signal)).rejects.toBe(reason);
      });
      expect(stopped).toBeLessThan(whole / 2);
      await expect(session.run(controller.signal)).rejects.toBe(reason);
      const first = y.data.slice();
      await session.run();
      expect(y.data.length).toBe(first.length);
    });
  });

  test("leaves the event loop free while it runs", async () => {
    const { outputs, given } = deepGraph(100, 256);
    await withSession(open(outputs), async (session) => {
      session.bind({ ...fed(given), ...buffers(outputs) });
      let ticks = 0;
      const timer = setInterval(() => ticks++, 2);
      await session.run();
      clearInterval(timer);
      expect(ticks).toBeGreaterThan(5);
    });
  });

  test("says what is not bound, what has another size, what it does not have, and refuses a second run beside the first", async () => {
    const { outputs, given } = deepGraph(2, 8);
    await withSession(open(outputs), async (session) => {
      expect(() => session.bind({ z: zeros([1]) })).toThrow("the model has no input or output z");
      expect(() => session.bind({ y: zeros([9]) })).toThrow("y: expected [8, 8], got 9 elements");
      session.bind(fed(given));
      await expect(session.run()).rejects.toThrow("y is not bound");
      session.bind(buffers(outputs));
      const first = session.run();
      await expect(session.run()).rejects.toThrow("a session runs once at a time");
      await first;
    });
  });

  test("throws OpenVINO's words for what is no model", async () => {
    if (api === undefined) return;
    const nothing = { onnx: Uint8Array.from([1, 2, 3]), inputs: [], outputs: [] };
    await expect(openSession(api, nothing, { threads: 1 })).rejects.toThrow(/^OpenVINO: Unable to read the model/);
  });

  test("a hundred sessions that were made, run and released keep no memory", async () => {
    const { outputs, given } = deepGraph(4, 256);
    const arrays = { ...fed(given), ...buffers(outputs) };
    const once = () =>
      withSession(open(outputs), (session) => {
        session.bind(arrays);
        return session.run();
      });
    for (let i = 0; i < 10; i++) await once();
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 100; i++) await once();
    // one that is not released keeps 1.3 MB
    expect((process.memoryUsage.rss() - before) / 2 ** 20).toBeLessThan(40);
  });
});

/** x -> tanh(x a), again and again. */
function deepGraph(depth: number, side: number): { outputs: { y: Value }; given: Record<string, Tensor> } {
  const graph = new Graph();
  const [x, a] = ["x", "a"].map((name) => graph.input(name, [side, side]));
  let y = x;
  for (let i = 0; i < depth; i++) y = tanh(matmul(y, a));
  const rng = new Random(5);
  const weights = rng.normal([side, side]);
  return {
    outputs: { y },
    given: {
      x: rng.normal([side, side]),
      a: float32(
        weights.data.map((w) => w / Math.sqrt(side)),
        weights.shape,
      ),
    },
  };
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
