/** Does work when all that was asked for before is done or has failed. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** Turns of its own: work is done one after another, in the order in which it was asked for. */
export function createTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
}

/** Turns for each of many things, such as files: work on one of them waits for what is done with that one alone. */
export function createTurnsOfEach(): <T>(thing: string, work: () => Promise<T>) => Promise<T> {
  const all = new Map<string, { readonly inTurn: InTurn; asked: number }>();
  return async (thing, work) => {
    const turns = all.get(thing) ?? { inTurn: createTurns(), asked: 0 };
    all.set(thing, turns);
    turns.asked++;
    try {
      return await turns.inTurn(work);
    } finally {
      if (--turns.asked === 0) all.delete(thing);
    }
  };
}
