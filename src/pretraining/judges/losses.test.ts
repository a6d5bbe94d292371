import { expect, test } from "vitest";
import { Graph } from "../../graph/graph.ts";
import { compile } from "../../runtime/compile.ts";
import { float32 } from "../../tensor/tensor.ts";
import { captionLoss, instanceLoss, positivesOf } from "./losses.ts";

const logSumExp = (values: readonly number[]) => Math.log(values.reduce((sum, x) => sum + Math.exp(x), 0));

/** Unit vectors at angles in degrees: [N, 2]. */
function vectors(...degrees: readonly number[]) {
  const radians = degrees.map((x) => (x * Math.PI) / 180);
  return float32(
    radians.flatMap((x) => [Math.cos(x), Math.sin(x)]),
    [degrees.length, 2],
  );
}
const cos = (degrees: number) => Math.cos((degrees * Math.PI) / 180);

test("positives are equally probable among equal keys, and none stands for itself where that is not wanted", () => {
  expect([...positivesOf(["a", "b", "a"]).data]).toEqual([0.5, 0, 0.5, 0, 1, 0, 0.5, 0, 0.5]);
  expect([...positivesOf(["a", "b", "a"], { withoutSelf: true }).data]).toEqual([0, 0, 1, 0, 0, 0, 1, 0, 0]);
});

test("the caption loss is the mean cross-entropy of both directions, spread over captions that mean the same", async () => {
  const graph = new Graph();
  const loss = captionLoss(
    graph.input("images", [3, 2]),
    graph.input("texts", [3, 2]),
    graph.input("logScale", []),
    graph.input("positives", [3, 3]),
  );
  const compiled = await compile({ loss }, { threads: 1 });
  const [images, texts, scale] = [[0, 30, 100], [10, 20, 80], 5] as const;
  const out = await compiled.run({
    images: vectors(...images),
    texts: vectors(...texts),
    logScale: float32([Math.log(scale)], []),
    positives: positivesOf(["same", "same", "other"]),
  });
  await compiled.release();
  const score = (i: number, t: number) => scale * cos(images[i] - texts[t]);
  const weights = [
    [0.5, 0.5, 0],
    [0.5, 0.5, 0],
    [0, 0, 1],
  ] as const;
  const indices = [0, 1, 2] as const;
  let expected = 0;
  for (const row of indices) {
    const byImage = indices.map((t) => score(row, t));
    const byText = indices.map((i) => score(i, row));
    for (const k of indices)
      expected -= (weights[row][k] * (byImage[k] - logSumExp(byImage) + byText[k] - logSumExp(byText))) / 6;
  }
  expect(out.loss.data[0]).toBeCloseTo(expected, 5);
});

test("the instance loss leaves a picture itself out", async () => {
  const graph = new Graph();
  const loss = instanceLoss(graph.input("features", [4, 2]), graph.input("positives", [4, 4]), 0.1);
  const compiled = await compile({ loss }, { threads: 1 });
  const angles = [0, 15, 60, 85];
  const out = await compiled.run({
    features: vectors(...angles),
    positives: positivesOf(["a", "a", "b", "b"], { withoutSelf: true }),
  });
  await compiled.release();
  const partner = [1, 0, 3, 2];
  const expected = angles.reduce((sum, angle, i) => {
    const scores = angles.map((other) => 10 * cos(angle - other));
    return sum - (scores[partner[i]] - logSumExp(scores.filter((_, j) => j !== i))) / 4;
  }, 0);
  expect(out.loss.data[0]).toBeCloseTo(expected, 4);
});
