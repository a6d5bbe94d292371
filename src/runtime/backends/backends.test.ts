import { describe, expect, test } from "vitest";
import { Graph } from "../../graph/graph.ts";
import { inHalves } from "../../graph/dialect.ts";
import { encodeGraph } from "../../graph/encode.ts";
import { expand, matmul, mean, mul, softmax, sum } from "../../graph/ops/index.ts";
import { toFloat32, toHalf } from "../../tensor/half.ts";
import { float32, int32, zeros, type Float32Tensor } from "../../tensor/tensor.ts";
import { UsageError } from "../../system/errors.ts";
import { Stopped, type Session } from "./backend.ts";
import { BACKENDS } from "./index.ts";
import { backends, openLinear, plain, W, X } from "./testing/devices.ts";

/** What every device has to do, see testing/devices.ts. */

/** Undefined where WebGPU says that its GPU has no numbers of 16 bits. */
const orWithoutHalves =
  (name: string) =>
  (error: unknown): undefined => {
    if (name !== "webgpu" || !(error instanceof UsageError)) throw error;
    expect(error.message).toContain("precision: this GPU or its driver has no numbers of 16 bits");
  };

describe.each(backends)("%s", (name, backend) => {
  const { memory } = backend;

  test("computes, again and again, from what its inputs are at each run", async () => {
    const session = await openLinear(backend);
    const [x, w, y] = [float32([1, 2, 3, 4]), float32([10, 20, 30, 40]), zeros([4])];
    session.input(X, x);
    session.input(W, w);
    session.output("y", y);
    await session.run();
    expect([...y.data]).toEqual([12, 24, 36, 48]);
    x.data[0] = 5;
    session.input(X, x);
    await session.run();
    expect(y.data[0]).toBe(20);
    const other = zeros([4]);
    session.output("y", other);
    session.input(X, zeros([4]));
    await session.run();
    expect([...other.data]).toEqual([10, 20, 30, 40]);
    expect(y.data[0]).toBe(20);
    await session.release();
    expect(memory.held).toBe(0);
  });

  test.each([
    ["", plain],
    [", once a run where runs may be captured", { ...plain, capturedAfter: 0 }],
  ])("an output may be written over the input that it depends on, element by element%s", async (_where, options) => {
    const session = await openLinear(backend, options);
    const [x, w] = [float32([1, 2, 3, 4]), float32([1, 1, 1, 1])];
    await memory.hold([x, w]);
    session.input(X, x);
    session.input(W, w);
    session.output("y", x);
    for (let i = 0; i < 3; i++) await session.run();
    await memory.fetch([x]);
    expect([...x.data]).toEqual([15, 23, 31, 39]);
    await session.release();
    memory.letGo([x, w]);
    expect(memory.held).toBe(0);
  });

  test("what is held is one copy for all sessions: what one writes the others read", async () => {
    const [first, second] = [await openLinear(backend), await openLinear(backend)];
    const [x, w, y] = [float32([1, 1, 1, 1]), float32([1, 2, 3, 4]), zeros([4])];
    await memory.hold([w]);
    await memory.hold([w]);
    for (const session of [first, second]) {
      session.input(X, x);
      session.input(W, w);
    }
    second.output("y", y);
    await second.run();
    expect([...y.data]).toEqual([3, 4, 5, 6]);
    first.output("y", w);
    await first.run();
    await second.run();
    expect([...y.data]).toEqual([5, 6, 7, 8]);
    memory.letGo([w]);
    await second.run();
    expect([...y.data]).toEqual([5, 6, 7, 8]);
    await first.release();
    await second.release();
    memory.letGo([w]);
    expect(memory.held).toBe(0);
  });

  test("tensors come back when they are fetched, and go again when the host has changed them", async () => {
    const session = await openLinear(backend);
    const [x, w, y] = [zeros([4]), float32([1, 2, 3, 4]), float32([9, 9, 9, 9])];
    memory.reserve([y]);
    await memory.hold([w]);
    session.input(X, x);
    session.input(W, w);
    session.output("y", y);
    await session.run();
    await memory.fetch([y]);
    expect([...y.data]).toEqual([1, 2, 3, 4]);
    w.data[0] = 7;
    await memory.send([w]);
    await session.run();
    await memory.fetch([y, w]);
    expect([...y.data]).toEqual([7, 2, 3, 4]);
    memory.letGo([w, y]);
    await session.release();
    expect(memory.held).toBe(0);
  });

  test.runIf(memory.canSlice)("a stretch of a held tensor is held with it, in any shape", async () => {
    const flat = float32([1, 2, 3, 4, 5, 6, 7, 8]);
    const stretch = (from: number): Float32Tensor => ({
      ...{ dtype: "float32", shape: [4] },
      data: flat.data.subarray(from, from + 4),
    });
    const session = await openLinear(backend);
    await memory.hold([flat]);
    session.input(X, stretch(0));
    session.input(W, stretch(4));
    session.output("y", stretch(4));
    await session.run();
    await memory.fetch([stretch(4)]);
    expect([...flat.data]).toEqual([1, 2, 3, 4, 7, 10, 13, 16]);
    await session.release();
    memory.letGo([flat]);
    expect(memory.held).toBe(0);
  });

  test.runIf(memory.canSlice)(
    "sending a stretch of what is held leaves the rest of it as it was computed",
    async () => {
      const flat = float32(new Float32Array(8).fill(1));
      const [first, second] = [0, 4].map((from): Float32Tensor => ({
        dtype: "float32",
        shape: [4],
        data: flat.data.subarray(from, from + 4),
      }));
      const session = await openLinear(backend);
      await memory.hold([flat]);
      session.input(X, float32([1, 2, 3, 4]));
      session.input(W, zeros([4]));
      session.output("y", first);
      await session.run();
      second.data.fill(9);
      await memory.send([second]);
      await memory.fetch([flat]);
      expect([...flat.data]).toEqual([2, 4, 6, 8, 9, 9, 9, 9]);
      await session.release();
      memory.letGo([flat]);
    },
  );

  test("a session that is released while it runs ends after the run, and does not run again", async () => {
    const graph = new Graph();
    const x = graph.input("x", [128, 128]);
    let y = x;
    for (let i = 0; i < 200; i++) y = matmul(y, x);
    const session = await backend.open(encodeGraph({ y: sum(y) }).model, plain);
    session.input(X, zeros([128, 128]));
    session.output("y", zeros([]));
    const running = session.run();
    await Promise.all([session.release(), running]);
    await session.release();
    await expect((async () => session.run())()).rejects.toThrow();
    expect(memory.held).toBe(0);
  });

  test("token ids and scalars are fed from the host", async () => {
    const graph = new Graph();
    const y = mul(graph.input("x", []), 3);
    const session = await backend.open(encodeGraph({ y, ids: graph.input("ids", [2], "int32") }).model, plain);
    const [result, ids] = [zeros([]), int32([0, 0])];
    session.input(X, float32([4], []));
    session.input("input:ids", int32([7, 8]));
    session.output("y", result);
    session.output("ids", ids);
    await session.run();
    expect([result.data[0], ...ids.data]).toEqual([12, 7, 8]);
    await session.release();
  });

  test.skipIf(name === "openvino")("values in half precision are read, computed with and held", async () => {
    const graph = new Graph();
    const y = matmul(graph.input("x", [1, 3]), graph.parameter("w", [3, 3]));
    const options = { dialect: inHalves(backend.dialect), halves: new Set(["w"]), crossing: new Set(["x", "y"]) };
    const { model, halves, castsAgain } = encodeGraph({ y, probabilities: softmax(y), mean: mean(y) }, options);
    expect([halves, castsAgain]).toEqual([true, true]);
    const session = await backend.open(model, { ...plain, halves, castsAgain }).catch(orWithoutHalves(name));
    if (session === undefined) return;
    const [x, w, result] = [
      float32([1, -0.5, 2 ** -10], [1, 3]),
      float32([2, 0, 0, 0, 2, 0, 0, 0, 2], [3, 3]),
      zeros([]),
    ];
    const [halfX, halfW, halfY, probabilities] = [toHalf(x), toHalf(w), toHalf(zeros([1, 3])), zeros([1, 3])];
    await memory.hold([halfX, halfW]);
    memory.reserve([halfY]);
    session.input(X, halfX);
    session.input(W, halfW);
    session.output("y", halfY);
    session.output("probabilities", probabilities);
    session.output("mean", result);
    await session.run();
    await memory.fetch([halfY]);
    await session.release();
    memory.letGo([halfX, halfW, halfY]);
    expect([...toFloat32(halfY).data]).toEqual([2, -1, 2 ** -9]);
    expect(result.data[0]).toBeCloseTo((1 + 2 ** -9) / 3, 3);
    const exps = [2, -1, 2 ** -9].map(Math.exp);
    const total = exps.reduce((sum, value) => sum + value);
    exps.forEach((value, i) => expect(probabilities.data[i]).toBeCloseTo(value / total, 3));
    expect(memory.held).toBe(0);
  });

  test("weights in half precision are read as float32, from where they are held", async () => {
    const graph = new Graph();
    const y = mul(graph.input("x", [3]), graph.parameter("w", [3]));
    const { model } = encodeGraph({ y }, { halves: new Set(["w"]) });
    const wanted = { ...plain, halves: true, castsAgain: true };
    const session = await backend.open(model, wanted).catch(orWithoutHalves(name));
    expect(memory.held).toBe(0);
    if (session === undefined) return;
    const [w, result] = [toHalf(float32([1, -0.5, 2 ** -14])), zeros([3])]; // an odd number of halves
    await memory.hold([w]);
    session.input(X, float32([2, 3, 4]));
    session.input(W, w);
    session.output("y", result);
    await session.run();
    await session.release();
    memory.letGo([w]);
    expect([...result.data]).toEqual([2, -1.5, 2 ** -12]);
    expect(memory.held).toBe(0);
  });

  test("a model that cannot be opened leaves nothing behind", async () => {
    await expect((async () => backend.open(new Uint8Array([1, 2, 3]), plain))()).rejects.toThrow(/model/);
    expect(memory.held).toBe(0);
  });

  test("a run without enough memory fails with a message, and the next one works", async () => {
    const graph = new Graph();
    const y = sum(expand(graph.input("x", [1, 1]), [2 ** 22, 2 ** 22]));
    const { model } = encodeGraph({ y });
    // an engine may plan its memory, and find too little, before it runs
    const huge = await backend.open(model, plain).catch((error: unknown) => error);
    if (huge instanceof Error) expect(huge.message).toMatch(/\w/);
    else {
      const session = huge as Session;
      session.input(X, float32([1], [1, 1]));
      session.output("y", zeros([]));
      await expect(session.run()).rejects.toThrow(/\w/);
      await session.release();
    }
    const session = await openLinear(backend);
    const y2 = zeros([4]);
    session.input(X, zeros([4]));
    session.input(W, float32([1, 2, 3, 4]));
    session.output("y", y2);
    await session.run();
    expect([...y2.data]).toEqual([1, 2, 3, 4]);
    await session.release();
  });

  test.skipIf(backend === BACKENDS.cpu)(
    "a run can be stopped midway, off this thread, and the session runs again",
    async () => {
      const graph = new Graph();
      const x = graph.input("x", [256, 256]);
      let y = x;
      for (let i = 0; i < 2000; i++) y = matmul(y, x);
      const session = await backend.open(encodeGraph({ y: sum(y) }).model, plain);
      session.input(X, zeros([256, 256]));
      session.output("y", zeros([]));
      const timed = async (work: () => Promise<unknown>) => {
        const started = performance.now();
        await work();
        return performance.now() - started;
      };
      const stopSoon = async () => {
        const stop = { aborted: false };
        setTimeout(() => (stop.aborted = true), 60);
        await expect(session.run(stop)).rejects.toThrow(Stopped);
      };
      // a first run may have to make ready what no stop interrupts
      await stopSoon();
      const stopped = await timed(stopSoon);
      await expect(session.run({ aborted: true })).rejects.toThrow(Stopped);
      expect(stopped).toBeLessThan((await timed(() => session.run())) / 2);
      await session.release();
    },
  );
});

test("a thousand sessions made and released keep no memory", async () => {
  const open = async () => (await openLinear(BACKENDS.cpu)).release();
  for (let i = 0; i < 200; i++) await open();
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 1000; i++) await open();
  expect(process.memoryUsage().rss - before).toBeLessThan(32e6);
});
