import { expect, test, vi } from "vitest";
import { float32 } from "../tensor/tensor.ts";
import { copiesHeld, hold, letGo } from "./device-copies.ts";
import { openSource, type Source } from "./device-source.ts";

vi.mock("./device-source.ts");

/** A device that takes what it is sent. */
function device(dispose: () => void = () => undefined): Source {
  return { run: () => Promise.resolve({ y: {} as never }), dispose, release: () => Promise.resolve() };
}

const tensor = (size: number) => float32(new Float32Array(size), [size]);

test("a tensor is on the device until everyone who held it has let it go", async () => {
  const dispose = vi.fn();
  vi.mocked(openSource).mockResolvedValue(device(dispose));
  const [a, b] = [tensor(2), tensor(2)];
  await Promise.all([hold([a, b], "webgpu"), hold([b], "webgpu")]);
  letGo([a, b]);
  expect(copiesHeld()).toBe(1);
  letGo([b]);
  expect(copiesHeld()).toBe(0);
  expect(dispose).toHaveBeenCalledTimes(2);
});

test("a hold whose sending fails holds nothing, and takes nothing from others", async () => {
  vi.mocked(openSource).mockResolvedValueOnce(device());
  const [kept, lost] = [tensor(2), tensor(3)];
  await hold([kept], "webgpu");
  vi.mocked(openSource).mockRejectedValueOnce(new Error("out of memory"));
  await expect(hold([kept, lost], "webgpu")).rejects.toThrow("out of memory");
  expect(copiesHeld()).toBe(1);
  letGo([kept]);
  expect(copiesHeld()).toBe(0);
});
