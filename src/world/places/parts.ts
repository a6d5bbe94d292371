import type { Random } from "../../tensor/random.ts";
import { between, WHITE } from "../colour.ts";
import { d, ellipse, fill } from "../svg.ts";

/** `make(0) + make(1) + ... + make(count - 1)`. */
export function many(count: number, make: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => make(index)).join("");
}

/** A cloud of three puffs. */
export function cloud(rng: Random, x: number, y: number): string {
  const size = between(rng, 2.4, 3.6);
  const puffs =
    ellipse(x - size * 1.3, y, size, size * 0.7) +
    ellipse(x, y - size * 0.4, size * 1.3, size) +
    ellipse(x + size * 1.5, y, size * 1.1, size * 0.7);
  return fill(puffs, WHITE, 0.9);
}

/** The beginning of a path along an uneven horizon, from the frame's left edge to its right. */
export function ridge(rng: Random, y: number, height: number): string {
  const at = (): number => y + between(rng, -height, height);
  return d`M-1 ${at()}Q12 ${at()} 24 ${at()}T46 ${at()}T65 ${at()}`;
}
