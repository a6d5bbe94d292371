import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodeGraph, feedName } from "../../graph/encode.ts";
import { Graph, type Value } from "../../graph/graph.ts";
import { add, div, matmul, mul, sqrt, sub, tanh } from "../../graph/ops/index.ts";
import { Random } from "../../tensor/random.ts";
import { float32, zeros, type Tensor } from "../../tensor/tensor.ts";
import type { Session } from "../backends/backend.ts";
import { compile } from "../compile.ts";
import { openOpenvino } from "./library.ts";
import { openSession, type OpenvinoOptions } from "./session.ts";
import { isOpenvinoHere } from "./testing/installed.ts";

/** What the suite of all devices does not ask: src/runtime/backends/backends.test.ts. */

type Outputs = Readonly<Record<string, Value>>;
type Tensors = Readonly<Record<string, Tensor>>;

function open(outputs: Outputs, options: Partial<OpenvinoOptions> = {}): Promise<Session> {
  return openBytes(encodeGraph(outputs).model, options);
}

function openBytes(model: Uint8Array, options: Partial<OpenvinoOptions> = {}): Promise<Session> {
  const { api } = openOpenvino();
  if (api === undefined) throw new Error("OpenVINO is not installed");
  return openSession(api, model, { threads: 1, precision: "float32", ...options });
}

function bind(session: Session, inputs: Tensors, outputs: Tensors): void {
  for (const [name, tensor] of Object.entries(inputs)) session.input(feedName({ kind: "input", name }), tensor);
  for (const [name, tensor] of Object.entries(outputs)) session.output(name, tensor);
}

function buffers(outputs: Outputs): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(outputs).map(([name, { shape }]) => [name, zeros(shape)]));
}

async function withSession<R>(opening: Promise<Session>, work: (session: Session) => Promise<R>) {
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

describe.skipIf(!isOpenvinoHere())("a session of OpenVINO", { timeout: 120_000 }, () => {
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
      const { w, m, v } = actual;
      bind(session, actual, { w, m, v });
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
      bind(session, { x: given }, results);
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
          bind(session, given, { y });
          await session.run();
          runs.push(y);
        }
      });
    for (const { data } of runs) expect(data).toEqual(runs[0].data);
  });

  test("leaves the event loop free while it runs", async () => {
    const { outputs, given } = deepGraph(100, 256);
    await withSession(open(outputs), async (session) => {
      bind(session, given, buffers(outputs));
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
      expect(() => session.input("y", zeros([1]))).toThrow("the model has no input y");
      expect(() => session.output("z", zeros([1]))).toThrow("the model has no output z");
      expect(() => session.output("y", zeros([9]))).toThrow("y: expected [8, 8], got 9 elements");
      bind(session, given, {});
      await expect(session.run()).rejects.toThrow("y is not bound");
      bind(session, {}, buffers(outputs));
      const first = session.run();
      await expect(session.run()).rejects.toThrow("a session runs once at a time");
      await first;
    });
  });

  test("throws OpenVINO's words for what is no model", async () => {
    await expect(openBytes(Uint8Array.from([1, 2, 3]))).rejects.toThrow(/^OpenVINO: Unable to read the model/);
  });

  test("a model from the cache gives the same bits, and one that was cut off or spoilt there is compiled anew", async () => {
    const cache = await mkdtemp(join(tmpdir(), "rpo-openvino-"));
    const { outputs, given } = deepGraph(20, 64);
    const result = () =>
      withSession(open(outputs, { cache }), async (session) => {
        const y = zeros([64, 64]);
        bind(session, given, { y });
        await session.run();
        return [...y.data];
      });
    const expected = await result();
    const [name, ...others] = await readdir(cache);
    expect(others).toEqual([]);
    expect(await result()).toEqual(expected);
    const path = join(cache, name);
    const whole = await readFile(path);
    for (const length of [0, 10, whole.length >> 2, whole.length >> 1, whole.length - 1]) {
      await truncate(path, length);
      expect(await result()).toEqual(expected);
      await writeFile(path, whole);
    }
    await rm(cache, { recursive: true });
  });

  test("a hundred sessions that were made, run and released keep no memory", async () => {
    const { outputs, given } = deepGraph(4, 256);
    const results = buffers(outputs);
    const once = () =>
      withSession(open(outputs), (session) => {
        bind(session, given, results);
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
