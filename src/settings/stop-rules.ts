/** What may end a training before its last step. */
export const STOP_RULES = ["reward", "variance", "held-out"] as const;
export type StopRule = (typeof STOP_RULES)[number];
