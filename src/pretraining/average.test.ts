import { expect, test } from "vitest";
import { Random } from "../tensor/random.ts";
import { createAverage } from "./average.ts";

test("an average is the sum of all weights there were, each with its share, by the host's arrays or by a graph", async () => {
  for (const onHost of [true, false]) {
    const [a, b] = [new Random(1).normal([7]), new Random(2).normal([3, 5])];
    const average = await createAverage(new Map(Object.entries({ a, b })), { threads: 1 }, { onHost });
    const all = [Float64Array.from(b.data)];
    for (let step = 0; step < 3; step++) {
      b.data.set(new Random(10 + step).normal([15]).data);
      all.push(Float64Array.from(b.data));
      await average.take(0.9);
    }
    await average.fetch();
    // 0.9³ of the first, 0.1 · 0.9² of the second, ...
    const shares = [0.729, 0.081, 0.09, 0.1];
    average.tensors.get("b")?.data.forEach((mean, i) => {
      expect(mean).toBeCloseTo(
        shares.reduce((sum, share, k) => sum + share * all[k][i], 0),
        6,
      );
    });
    expect(average.tensors.get("a")?.data).toEqual(a.data);
    await average.release();
  }
});
