import type { GivenSettings } from "../../settings/parse.ts";
import type { Surroundings } from "../../settings/surroundings.ts";

/** Trainings of one question, each on the embedded model. */
export interface Study {
  readonly about: string;
  readonly subjects: readonly string[];
  readonly seeds: readonly number[];
  readonly surroundings: readonly Surroundings[];
  /** What is compared, by name: settings of rpo train. */
  readonly methods: Readonly<Record<string, GivenSettings>>;
  /** Which of them the others are compared with. */
  readonly baseline: string;
  /** Whether rules are compared that choose a checkpoint. */
  readonly choosing?: boolean;
  /** Of every method. */
  readonly settings: GivenSettings & { readonly steps: number };
}

/** All weights of the miniature, as long as asked, whatever the reward says. */
const WHOLE = { adapter: "full", guidance: 4, validationSteps: 12, earlyStopping: false } as const;

/** Those of the demo. */
export const BUNDLED = ["backpack", "dog", "cat", "teapot", "boot", "robot-toy"] as const;
/** Subjects by which nothing was chosen: no setting of the miniature, no reward, no exam. */
const HELD_OUT = ["toy-car", "duck-toy", "vase", "can", "clock", "candle"] as const;
const L_SIM = { preference: false } as const;
/** The miniature's own. */
const RPO = { beta: 0.5, labels: "soft" } as const;

export const STUDIES = {
  rates: {
    about: "rate and steps of the demo",
    subjects: ["backpack", "cat", "robot-toy"],
    seeds: [0],
    surroundings: ["home"],
    methods: {
      "l-sim 3e-4": { ...L_SIM, lr: 3e-4 },
      "l-sim 6e-4": { ...L_SIM, lr: 6e-4 },
      "rpo .5 3e-4": { ...RPO, lr: 3e-4 },
      "rpo .5 6e-4": { ...RPO, lr: 6e-4 },
    },
    baseline: "l-sim 6e-4",
    settings: { ...WHOLE, steps: 240, validateEvery: 80, validationImages: 2 },
  },
  long: {
    about: "when to stop: 480 steps, and rules that choose a checkpoint",
    subjects: BUNDLED,
    seeds: [0, 1],
    surroundings: ["home"],
    methods: { "l-sim": L_SIM, rpo: RPO },
    baseline: "l-sim",
    choosing: true,
    settings: { ...WHOLE, lr: 6e-4, steps: 480, validateEvery: 80, validationImages: 3 },
  },
  "held-out": {
    about: "the miniature's own settings on subjects by which they were not chosen",
    subjects: HELD_OUT,
    seeds: [0, 1],
    surroundings: ["home"],
    methods: { "l-sim": L_SIM, rpo: RPO },
    baseline: "l-sim",
    choosing: true,
    settings: { ...WHOLE, lr: 6e-4, steps: 240, validateEvery: 80, validationImages: 3 },
  },
  surroundings: {
    about: "photos in one surroundings, and in five",
    subjects: BUNDLED,
    seeds: [0],
    surroundings: ["mixed", "garden"],
    methods: { "l-sim": L_SIM, rpo: RPO },
    baseline: "l-sim",
    settings: { ...WHOLE, lr: 6e-4, steps: 240, validateEvery: 120, validationImages: 2 },
  },
  preference: {
    about: "other ways to learn from a preference, and controls of RPO's",
    subjects: ["backpack", "boot", "dog"],
    seeds: [0],
    surroundings: ["home"],
    methods: {
      "l-sim": L_SIM,
      rpo: RPO,
      "rpo, label .5": { ...RPO, labels: "fixed" },
      "rpo, weight .5": { ...RPO, preferenceWeight: 0.5 },
      "rpo, beta .35": { ...RPO, beta: 0.35 },
      "rpo, floor 1": { ...RPO, photoFloor: 1 },
      "rpo, lambda_train .5": { ...RPO, trainLambda: 0.5 },
      kto: { method: "kto", roundBeta: 50, roundWeight: 0.01 },
      advantage: { method: "advantage", roundWeight: 0.03 },
      dpo: { method: "dpo", roundBeta: 100, roundWeight: 0.005, roundReference: "round" },
    },
    baseline: "rpo",
    settings: { ...WHOLE, lr: 6e-4, steps: 240, validateEvery: 120, validationImages: 2 },
  },
} as const satisfies Readonly<Record<string, Study>>;

export type StudyName = keyof typeof STUDIES;

/** A training of a study. */
export interface StudyRun {
  /** "home/backpack/rpo/0": of its folder. */
  readonly name: string;
  readonly subject: string;
  readonly surroundings: Surroundings;
  readonly method: string;
  readonly seed: number;
  readonly settings: GivenSettings;
}

/** Every training of a study; a seed and a subject after the other, so that what is there at any time compares. */
export function runsOf({ subjects, seeds, surroundings, methods, settings }: Study): StudyRun[] {
  return seeds.flatMap((seed) =>
    subjects.flatMap((subject) =>
      surroundings.flatMap((where) =>
        Object.entries(methods).map(([method, own]) => ({
          name: [where, subject, method.replaceAll(" ", "-"), seed].join("/"),
          subject,
          surroundings: where,
          method,
          seed,
          settings: { ...settings, ...own, seed },
        })),
      ),
    ),
  );
}
