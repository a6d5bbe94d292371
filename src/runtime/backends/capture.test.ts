import { describe, expect, test } from "vitest";
import { encodeGraph } from "../../graph/encode.ts";
import { Graph } from "../../graph/graph.ts";
import { mul, reshape } from "../../graph/ops/index.ts";
import { float32, zeros, type Float32Tensor } from "../../tensor/tensor.ts";
import { Stopped } from "./backend.ts";
import { backends, openLinear, plain, W, X } from "./testing/devices.ts";

/** Runs that a device may capture are as those that it does not. */

const mayCapture = { ...plain, capturedAfter: 0 };

describe.each(backends)("%s", (_name, backend) => {
  const { memory } = backend;

  test.each([0, 2])(
    "runs that may be captured after %i compute from what inputs are, wherever they have come to lie",
    async (capturedAfter) => {
      const session = await openLinear(backend, { ...plain, capturedAfter });
      const [x, w, y] = [zeros([4]), float32([1, 2, 3, 4]), zeros([4])];
      session.input(X, x);
      session.input(W, w);
      session.output("y", y);
      const expectRuns = async (times: number, ...tensors: readonly Float32Tensor[]) => {
        for (let run = 0; run < times; run++) {
          x.data.forEach((_, i) => (x.data[i] += i + 1));
          w.data.forEach((_, i) => (w.data[i] -= 0.5));
          await memory.send([w]);
          session.input(X, x);
          session.input(W, w);
          await session.run();
          await memory.fetch([y, ...tensors]);
          expect([...y.data]).toEqual([...x.data].map((value, i) => 2 * value + w.data[i]));
        }
      };
      await expectRuns(3);
      await memory.hold([w]);
      memory.reserve([y]);
      await expectRuns(3);
      memory.letGo([w]);
      const between = zeros([64]); // takes the place that was left
      await memory.hold([between]);
      await memory.hold([w]);
      await expectRuns(3);
      memory.letGo([y]);
      session.output("y", y);
      await expectRuns(3);
      memory.letGo([w, between]);
      await session.release();
      expect(memory.held).toBe(0);
    },
  );

  test("outputs that are copies are computed in every run that may be captured", async () => {
    const graph = new Graph();
    const x = graph.input("x", [4]);
    const twice = mul(x, 2);
    const outputs = { twice, again: reshape(twice, [2, 2]), x: reshape(x, [2, 2]) };
    const session = await backend.open(encodeGraph(outputs).model, mayCapture);
    const results = { twice: zeros([4]), again: zeros([2, 2]), x: zeros([2, 2]) };
    for (const [name, tensor] of Object.entries(results)) session.output(name, tensor);
    for (let run = 1; run < 5; run++) {
      session.input(X, float32([run, 2, 3, 4]));
      await session.run();
      const first = Object.values(results).map(({ data }) => data[0]);
      expect(first).toEqual([2 * run, 2 * run, run]);
    }
    await session.release();
  });

  test("sessions that may be captured share what is held, by turns, and one that was stopped goes on", async () => {
    const sessions = [await openLinear(backend, mayCapture), await openLinear(backend, mayCapture)];
    const [x, w] = [float32([1, 1, 1, 1]), float32([1, 2, 3, 4])];
    const results = [zeros([4]), zeros([4])];
    await memory.hold([w]);
    sessions.forEach((session, i) => {
      session.input(X, x);
      session.input(W, w);
      session.output("y", results[i]);
    });
    for (let round = 1; round < 4; round++) {
      w.data[0] = round;
      await memory.send([w]);
      for (const [i, session] of [...sessions.entries(), ...sessions.entries()]) {
        await expect(session.run({ aborted: true })).rejects.toThrow(Stopped);
        results[i].data.fill(0);
        await session.run({ aborted: false });
        expect([...results[i].data]).toEqual([2 + round, 4, 5, 6]);
      }
    }
    for (const session of sessions) await session.release();
    memory.letGo([w]);
    expect(memory.held).toBe(0);
  });
});
