import { useEffect, useRef, useState } from "preact/hooks";

/** A value that changes at most every so many milliseconds, whatever comes, and ends at the last. @param version changes with what is behind the value */
export function useThrottled<T>(value: T, version: number, ms: number): T {
  const [shown, show] = useState(value);
  const state = useRef({ at: 0, latest: value });
  state.current.latest = value;
  useEffect(() => {
    const now = performance.now();
    const wait = Math.max(0, state.current.at + ms - now);
    const timer = setTimeout(() => {
      state.current.at = performance.now();
      show(() => state.current.latest);
    }, wait);
    return () => clearTimeout(timer);
  }, [value, version, ms]);
  return shown;
}
