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
