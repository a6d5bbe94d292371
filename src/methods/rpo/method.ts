import type { Method } from "../../training/method.ts";
import { feedsOf } from "./feeds.ts";
import { negativePictures } from "./negatives.ts";
import { objective } from "./objective.ts";

/** Reward preference optimization (Miao et al., NeurIPS 2024, arXiv 2407.12164). */
export const method: Method = { startingPictures: negativePictures, objective, feeds: feedsOf };
