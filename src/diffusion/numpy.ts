/** NumPy's and PyTorch's ways with numbers, where another way would round to another timestep. */

/** `np.linspace(start, stop, count)`. */
export function linspace(start: number, stop: number, count: number): number[] {
  const step = (stop - start) / (count - 1);
  return Array.from({ length: count }, (_, i) =>
    i === count - 1 && count > 1 ? stop : i === 0 ? start : i * step + start,
  );
}

/** `torch.linspace(start, stop, count)` in float32, counted from the nearer end as its kernel does. */
export function linspace32(start: number, stop: number, count: number): Float32Array {
  const [first, last] = [Math.fround(start), Math.fround(stop)];
  const step = Math.fround(Math.fround(last - first) / (count - 1));
  const half = Math.floor(count / 2);
  return Float32Array.from({ length: count }, (_, i) => {
    if (count === 1) return first;
    return i < half ? first + Math.fround(step * i) : last - Math.fround(step * (count - 1 - i));
  });
}

/** `np.interp(x, np.arange(ys.length), ys)`: linear between the integers, constant beyond the ends. */
export function interpolate(x: number, ys: Float32Array): number {
  const at = Math.min(Math.max(x, 0), ys.length - 1);
  const below = Math.floor(at);
  const low = ys[below] ?? NaN;
  return ((ys[below + 1] ?? low) - low) * (at - below) + low;
}
