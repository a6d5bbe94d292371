export const JUDGE_NAMES = ["dino", "clip", "align"] as const;
export type JudgeName = (typeof JUDGE_NAMES)[number];

/** The encoders' folders; one that is left out does not judge. */
export type JudgeFolders = Readonly<Partial<Record<JudgeName, string>>>;
