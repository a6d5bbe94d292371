import { useEffect, useMemo } from "preact/hooks";

/** Something that takes long, asked for by a view: given up by the user, or when the view is left. */
export interface Wish {
  /** Gives up what was asked for before. @returns a signal for what is asked for now */
  readonly begin: () => AbortSignal;
  readonly giveUp: () => void;
}

export function useWish(): Wish {
  const wish = useMemo(() => {
    let now: AbortController | undefined;
    const giveUp = (): void => now?.abort();
    const begin = (): AbortSignal => {
      giveUp();
      now = new AbortController();
      return now.signal;
    };
    return { begin, giveUp };
  }, []);
  useEffect(() => wish.giveUp, [wish]);
  return wish;
}
