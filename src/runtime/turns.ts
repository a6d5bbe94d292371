/**
 * Work on the engine, one after another in the order in which it was asked for. Graphs use all threads or the whole device by themselves, and
 * what is bound to a session belongs to one run.
 */
let last: Promise<unknown> = Promise.resolve();

/** Does work when all that was asked for before is done or has failed. */
export function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const turn = last.then(work);
  last = turn.catch(() => undefined);
  return turn;
}
