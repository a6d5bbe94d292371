import { createTurns } from "../system/turns.ts";

/**
 * Work on the engine, one after another. Graphs use all threads or the whole device by themselves, and what is bound to a session belongs to
 * one run.
 */
export const inTurn = createTurns();
