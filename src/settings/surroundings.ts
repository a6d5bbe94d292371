/** Where a rendered subject's photos are taken: all in one room or all on one lawn, as people take them, or each somewhere else. */
export const SURROUNDINGS = ["home", "garden", "mixed"] as const;
export type Surroundings = (typeof SURROUNDINGS)[number];
