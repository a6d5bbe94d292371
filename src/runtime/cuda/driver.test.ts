import { expect, test } from "vitest";
import { askDriver } from "./driver.ts";
import { hasCodeFor } from "./requirements.ts";
import { makeDriver, makeLibrary, NO_COMPILER } from "./testing/fake-library.ts";

const CARDS = [
  { name: "NVIDIA GeForce RTX 3060", capability: [8, 6], memoryBytes: 12_884_901_888 },
  { name: "NVIDIA H200", capability: [9, 0], memoryBytes: 150_121_545_728 },
] as const;

test.skipIf(NO_COMPILER !== undefined)("the driver tells of its version and its cards", async () => {
  expect(askDriver(await makeDriver({ cuda: 13020, cards: CARDS }))).toEqual({
    state: "works",
    cuda: "13.2",
    cards: [
      { name: "NVIDIA GeForce RTX 3060", capability: "8.6", memoryBytes: 12_884_901_888 },
      { name: "NVIDIA H200", capability: "9.0", memoryBytes: 150_121_545_728 },
    ],
  });
});

test.skipIf(NO_COMPILER !== undefined)("a driver without a card, and one that does not start, say so", async () => {
  expect(askDriver(await makeDriver())).toEqual({ state: "works", cuda: "13.0", cards: [] });
  expect(askDriver(await makeDriver({ cuInit: 803 }))).toEqual({
    state: "fails",
    reason: "the driver's library and its kernel module are of different versions: restart the machine",
  });
  expect(askDriver(await makeDriver({ cuInit: 777 }))).toEqual({ state: "fails", reason: "error 777 of the driver" });
});

test.skipIf(NO_COMPILER !== undefined)("a library that is no driver is told from one", async () => {
  const report = askDriver(await makeLibrary("libcuda.so.1", "int cuInit(unsigned int flags) { return 0; }"));
  expect(report).toMatchObject({ state: "fails", reason: expect.stringContaining("cuDriverGetVersion") as string });
});

test("without a driver the system's own words say why", () => {
  expect(askDriver("/nowhere/libcuda.so.1")).toMatchObject({
    state: "none",
    reason: expect.stringMatching(/No such file/) as string,
  });
});

// https://docs.nvidia.com/cuda/cuda-c-programming-guide, "Binary Compatibility": X.y runs on X.z where z >= y
test.each([
  ["7.5", true],
  ["8.6", true],
  ["8.7", true],
  ["8.9", true],
  ["12.1", true],
  ["7.0", false],
  ["6.1", false],
  ["10.0", false],
] as const)("a card of compute capability %s has code: %s", (capability, expected) => {
  expect(hasCodeFor(capability)).toBe(expected);
});
