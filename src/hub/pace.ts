/** Less than this over a while is no download: a server that sends a drop now and then would keep us for ever. */
const LEAST_BYTES_PER_SECOND = 1000;

/** Watches how fast bytes come: {@link Pace.isTooSlow} is told of each part. */
export interface Pace {
  isTooSlow(bytes: number): boolean;
}

/** @param windowMs over how long the speed is taken */
export function paceOver(windowMs: number, now: () => number = () => performance.now()): Pace {
  let since = now();
  let bytes = 0;
  return {
    isTooSlow(part) {
      bytes += part;
      const elapsed = now() - since;
      if (elapsed < windowMs) return false;
      const slow = bytes < (LEAST_BYTES_PER_SECOND * elapsed) / 1000;
      since = now();
      bytes = 0;
      return slow;
    },
  };
}
