import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Device } from "../device.ts";
import { fastestDevice } from "./fastest.ts";
import type { Attempt, Trial } from "./try.ts";

/** A machine whose devices are so fast, and what it was asked. */
async function machine(speeds: Partial<Record<Device, number | "broken" | "wrong">>) {
  const folder = await mkdtemp(join(tmpdir(), "rpo-trial-"));
  const [tried, told]: [Device[], string[]] = [[], []];
  const attempt = (device: Device): Promise<Attempt<Trial>> => {
    tried.push(device);
    const speed = speeds[device] ?? "broken";
    if (speed === "broken") return Promise.resolve({ error: "no driver" });
    return Promise.resolve(speed === "wrong" ? { works: false, gigaflops: 1e6 } : { works: true, gigaflops: speed });
  };
  const choose = (candidates: readonly Device[], threads = 2) =>
    fastestDevice({ threads, folder, candidates, attempt, tell: (line) => told.push(line) });
  return { choose, tried, told };
}

test("without a GPU nothing is tried and nothing is said", async () => {
  const { choose, tried, told } = await machine({ cpu: 100 });
  expect(await choose([])).toBe("cpu");
  expect([tried, told]).toEqual([[], []]);
});

test("a GPU that is faster is taken and said, and the trial is good for the next time", async () => {
  const { choose, tried, told } = await machine({ cpu: 100, cuda: 9000, webgpu: 500 });
  expect(await choose(["cuda", "webgpu"])).toBe("cuda");
  expect(await choose(["cuda", "webgpu"])).toBe("cuda");
  expect(tried).toEqual(["cuda", "cpu"]);
  expect(told).toEqual(Array(2).fill("computing on cuda, about 90 times as fast as the processor here"));
  await choose(["cuda", "webgpu"], 4);
  expect(tried.length).toBe(4);
});

test("a GPU that is slower, fails or computes wrongly is not taken", async () => {
  for (const webgpu of [50, "broken", "wrong"] as const) {
    const { choose, told } = await machine({ cpu: 100, webgpu });
    expect(await choose(["webgpu"])).toBe("cpu");
    expect(told).toEqual([]);
  }
});

test("CUDA that is installed and does not work is told of, and tried again the next time", async () => {
  const { choose, tried, told } = await machine({ cpu: 100, cuda: "broken" });
  expect(await choose(["cuda"])).toBe("cpu");
  expect(await choose(["cuda"])).toBe("cpu");
  expect(tried).toEqual(["cuda", "cuda"]);
  expect(told[0]).toBe("cuda is not used: no driver; rpo doctor says more");
});

test("without the processor's speed there is nothing to compare with", async () => {
  const { choose } = await machine({ cpu: "broken", cuda: 9000 });
  expect(await choose(["cuda"])).toBe("cpu");
});
