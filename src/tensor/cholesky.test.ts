import { expect, test } from "vitest";
import { cholesky, solveInPlace } from "./cholesky.ts";
import { Random } from "./random.ts";

test("a solution of a random system, multiplied with its matrix, is the right-hand side", () => {
  const [size, rng] = [40, new Random(3)];
  const m = Float64Array.from({ length: size * size }, () => rng.uniform() - 0.5);
  // M Mᵀ is positive definite
  const a = Float64Array.from({ length: size * size }, (_, at) => {
    const [i, j] = [Math.floor(at / size), at % size];
    return Array.from({ length: size }, (_each, k) => m[i * size + k] * m[j * size + k]).reduce((x, y) => x + y);
  });
  const b = Float64Array.from({ length: size }, () => rng.uniform() - 0.5);
  const factor = cholesky(a.slice(), size);
  expect(factor).toBeDefined();
  const x = factor === undefined ? b : solveInPlace(factor, b.slice());
  for (let i = 0; i < size; i++)
    expect([...x].reduce((sum, value, j) => sum + a[i * size + j] * value, 0)).toBeCloseTo(b[i], 8);
});

test("4 x + 2 y = 2, 2 x + 3 y = 5 is solved by hand", () => {
  const factor = cholesky(Float64Array.from([4, 2, 2, 3]), 2);
  expect(factor?.lower[0]).toBe(2);
  expect(
    [...(factor === undefined ? [] : solveInPlace(factor, Float64Array.from([2, 5])))].map((x) => +x.toFixed(12)),
  ).toEqual([-0.5, 2]);
});

test.each([
  ["of less than full rank", [1, 2, 3, 2, 4, 6, 3, 6, 9]],
  ["with a negative direction", [1, 2, 0, 2, 1, 0, 0, 0, 1]],
  ["of zeros", [0, 0, 0, 0, 0, 0, 0, 0, 0]],
  ["that is no number", [NaN, 0, 0, 0, 1, 0, 0, 0, 1]],
])("a matrix %s has no factor", (_name, matrix) => {
  expect(cholesky(Float64Array.from(matrix), 3)).toBeUndefined();
});
