import { PRIOR } from "../../settings/prior.ts";

/** What DreamBooth has settings of, besides those of every training. */
export const DREAMBOOTH = PRIOR;
