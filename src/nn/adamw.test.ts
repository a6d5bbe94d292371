import { expect, test, vi } from "vitest";
import { BACKENDS } from "../runtime/backends/index.ts";
import { Random } from "../tensor/random.ts";
import { float32, type Float32Tensor } from "../tensor/tensor.ts";
import { createAdamW } from "./adamw.ts";

/** torch.optim.AdamW after torch.nn.utils.clip_grad_norm_, as PyTorch's documentation writes them, in float64. */
function adamWByHand(
  start: readonly number[],
  gradients: readonly (readonly number[])[],
  learningRate: number,
): number[] {
  const p = [...start];
  const m = p.map(() => 0);
  const v = p.map(() => 0);
  gradients.forEach((gradient, step) => {
    const clip = Math.min(1, 1 / (Math.hypot(...gradient) + 1e-6));
    gradient.forEach((unclipped, i) => {
      const g = unclipped * clip;
      p[i] -= learningRate * 0.01 * p[i];
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.999 * v[i] + 0.001 * g * g;
      const mHat = m[i] / (1 - 0.9 ** (step + 1));
      const vHat = v[i] / (1 - 0.999 ** (step + 1));
      p[i] -= (learningRate * mHat) / (Math.sqrt(vHat) + 1e-8);
    });
  });
  return p;
}

test("AdamW updates as PyTorch's formula says, whether gradients are clipped or not", async () => {
  const rng = new Random(3);
  const start = rng.normal([40]);
  // norms of about 600, 0.06 and 6: clipped, left alone, clipped; and elements that vanish beside ε
  const scales = [100, 0.01, 1];
  const gradients = scales.map((scale) => Array.from(rng.normal([40]).data, (g, i) => (i < 4 ? g * 1e-9 : g * scale)));
  const parameters = new Map<string, Float32Tensor>([["w", start]]);
  const optimizer = await createAdamW(parameters, { threads: 1 });
  for (const gradient of gradients) {
    optimizer.gradients.get("w")?.data.set(gradient);
    const norm = await optimizer.step({ learningRate: 0.01 });
    expect(norm / Math.hypot(...gradient)).toBeCloseTo(1, 5);
  }
  const expected = float32(adamWByHand([...start.data], gradients, 0.01), [40]).data;
  const actual = optimizer.parameters.get("w")?.data ?? [];
  await optimizer.release();
  expected.forEach((value, i) => expect(actual[i] - start.data[i]).toBeCloseTo(value - start.data[i], 5));
});

test("where the model trains in bfloat16, its weights are updated in float32", async () => {
  const open = vi.spyOn(BACKENDS.cpu, "open");
  const optimizer = await createAdamW(new Map([["w", float32([1, 2])]]), { threads: 1, precision: "bfloat16" });
  await optimizer.step({ learningRate: 0.01 });
  await optimizer.release();
  expect(open.mock.calls.length).toBeGreaterThan(1);
  expect(new Set(open.mock.calls.map(([, { precision }]) => precision))).toEqual(new Set(["float32"]));
  open.mockRestore();
});
