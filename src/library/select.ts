import { text } from "../settings/kinds.ts";
import { parseTable } from "../settings/parse.ts";
import { SELECT } from "../settings/select.ts";
import type { SettingsTable } from "../settings/setting.ts";
import { selectCheckpoint } from "../runs/selection.ts";
import { givenOf } from "./inside/given.ts";

/** What to choose, for {@link select}. */
export interface SelectOptions {
  /** The run's folder. */
  readonly run: string;
  /** 0 to 1: how much likeness counts against the prompt. Default: the run's own. */
  readonly lambda?: number | undefined;
  /** `harmonic` as in the paper, or `calibrated` by what the run measured. Default: the run's own. */
  readonly rewardForm?: "harmonic" | "calibrated" | undefined;
}

/** A validation, seen with a lambda. */
export interface Candidate {
  /** 0 is the starting model. */
  readonly step: number;
  /** Mean reward of its pictures. */
  readonly mean: number;
  /** Of that mean. */
  readonly standardError: number;
  /** Mean likeness of its pictures. */
  readonly alignI: number;
  /** Mean obedience of its pictures. */
  readonly alignT: number;
  /** How far the way to the photos' likeness is: 0 for the starting model, 1 for the photos; absent in runs that do not know it. */
  readonly likeness?: number;
  /** How much is left of the obedience: 1 for the starting model, 0 for a copy of the photos; absent likewise. */
  readonly obedience?: number;
  /** Whether its checkpoint is there. */
  readonly available: boolean;
}

/** What {@link select} chose. */
export interface Selection {
  /** What it was chosen for. */
  readonly lambda: number;
  /** The form of the reward that it was chosen by. */
  readonly form: "harmonic" | "calibrated";
  /** The best step; 0 is the starting model. */
  readonly step: number;
  /** Mean reward of its pictures. */
  readonly reward: number;
  /** Of that mean. */
  readonly standardError: number;
  /** Path of its checkpoint in the run's folder; null for the starting model. */
  readonly checkpoint: string | null;
  /** Of a run of {@link judge}: another program's file, which is the checkpoint. */
  readonly file?: string;
  /** All validations, in order. */
  readonly candidates: readonly Candidate[];
  /** Whether the run has ended. Training that goes on chooses again, for its own lambda. */
  readonly finished: boolean;
}

const SETTINGS = { run: { ...text, absent: "refused", help: "" }, ...SELECT } as const satisfies SettingsTable;

/**
 * Chooses another checkpoint of a run for another lambda, without training, and writes it to the run's `best.json`: the run as
 * `adapter` draws with it from then on.
 *
 * @throws UsageError when there is no run, it has not been validated, or the checkpoint is gone
 * @example
 * ```js
 * const { step, checkpoint } = await select({ run: "runs/dog", lambda: 0.3 });
 * ```
 */
export async function select(options: SelectOptions): Promise<Selection> {
  const { run, ...wanted } = parseTable(SETTINGS, givenOf(options));
  return selectCheckpoint(run, wanted);
}
