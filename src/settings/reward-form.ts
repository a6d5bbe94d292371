/** Which formula makes a reward of the two alignments: the paper's, or the one that is calibrated by what the run itself measures. */
export const REWARD_FORMS = ["harmonic", "calibrated"] as const;
export type RewardForm = (typeof REWARD_FORMS)[number];
