import type { Judged } from "./judged.ts";

/** A progress in words: "obeys as the starting model does, .80 of the way to the photos". */
export function inWords({ likeness, obedience }: NonNullable<Judged["progress"]>): string {
  return `${obeys(obedience.mean)}, ${way(likeness.mean)}`;
}

function obeys(obedience: number): string {
  if (obedience > 1.05) return "obeys better than the starting model";
  if (obedience > 0.95) return "obeys as the starting model does";
  if (obedience > 0.05) return `keeps ${part(obedience)} of the starting model's obedience`;
  return "obeys no more than a copy of the photos would";
}

function way(likeness: number): string {
  if (likeness >= 0.995) return "as like the photos as they are to each other";
  if (likeness <= 0.005) return "no more like the photos than the starting model";
  return `${part(likeness)} of the way to the photos`;
}

/** ".80" */
function part(x: number): string {
  return x.toFixed(2).replace(/^0/, "");
}
