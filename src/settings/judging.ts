import { REWARD_FORMS } from "./reward-form.ts";
import { samplerNames } from "../diffusion/create.ts";
import { MACHINE } from "./common.ts";
import { between, oneOf, text, whole, yesOrNo } from "./kinds.ts";
import { ANY, MOST_GUIDANCE, WHOLE } from "./limits.ts";
import type { SettingsTable } from "./setting.ts";
import { STOP_RULES } from "./stop-rules.ts";

/** Settings of every training: how what was learnt is judged, and where all of that happens. */

export const JUDGING = {
  /** lambda_val: the weight of picture against text alignment in validation and selection. */
  lambda: {
    ...between(0, 1),
    default: 0.5,
    inBench: "decided",
    takes: "<x>",
    group: "Validation",
    help: "0 to 1: how much likeness counts against the prompt when the checkpoint is chosen",
    row: { label: "λ" },
  },
  /** Which formula makes a reward of the two alignments. */
  rewardForm: {
    ...oneOf(REWARD_FORMS),
    default: "harmonic",
    takes: "<form>",
    group: "Validation",
    help: "harmonic as in the paper, or calibrated: from the starting model (0) to the photos (1), and from a copy of them (0) to the starting model's obedience (1)",
    row: { label: "reward", when: ({ rewardForm }) => rewardForm === "calibrated" },
  },
  validateEvery: {
    ...whole([1, ANY]),
    default: 40,
    takes: "<n>",
    group: "Validation",
    help: "steps from one validation to the next",
    row: { label: "every", text: ({ validateEvery }) => `${validateEvery} steps` },
  },
  validationImages: {
    ...whole(WHOLE.validationImages),
    default: 4,
    takes: "<n>",
    group: "Validation",
    help: "for each validation prompt",
    row: { label: "pictures a prompt" },
  },
  sampler: {
    ...oneOf(samplerNames),
    default: "dpm",
    takes: "<name>",
    group: "Validation",
    help: "of the starting model's and of validation pictures: ddim, pndm, dpm, euler, or checkpoint for the folder's own",
    row: { text: ({ sampler, validationSteps }) => `${sampler}, ${validationSteps} steps` },
  },
  validationSteps: {
    ...whole(WHOLE.validationSteps),
    name: "samplerSteps",
    default: 20,
    takes: "<n>",
    group: "Validation",
    help: "the sampler's, for each of these pictures",
    row: false,
  },
  /** Classifier-free guidance. */
  guidance: {
    ...between(0, MOST_GUIDANCE),
    default: 7.5,
    takes: "<x>",
    group: "Validation",
    help: "of these pictures; 1 or less is none",
  },
  patience: {
    ...whole([1, ANY]),
    default: 3,
    takes: "<n>",
    group: "Validation",
    help: "validations without a better reward before stopping",
    row: {
      text: ({ patience, earlyStopping }) => (earlyStopping === true ? `${patience} validations` : "no early stopping"),
    },
  },
  earlyStopping: {
    ...yesOrNo,
    default: true,
    inBench: "decided",
    group: "Validation",
    help: "take all steps whatever the reward does",
    inFile: "stop when the reward no longer rises",
    row: false,
  },
  /** Which rule ends training early; the checkpoint is chosen by the reward whatever the rule. */
  stop: {
    ...oneOf(STOP_RULES),
    default: "reward",
    inBench: "decided",
    takes: "<rule>",
    group: "Validation",
    help: "what ends training early: reward, by patience; variance, once a loss on fixed draws of the photos moves no more (DVAR); held-out, once that on the photo of --hold-out has not fallen for patience validations",
    row: {
      label: "stops by",
      text: ({ stop, stopWindow, stopThreshold }) =>
        stop === "variance"
          ? `the variance of a fixed loss: below ${stopThreshold} over ${stopWindow} steps`
          : stop === "held-out"
            ? "the loss on the photo that was held out"
            : "the reward",
      when: ({ stop, earlyStopping }) => earlyStopping === true && stop !== "reward",
    },
  },
  /** Of `stop: variance`, as its authors' code has it, whose window is of that many steps. */
  stopThreshold: {
    ...between(0, 1),
    default: 0.15,
    inBench: "decided",
    takes: "<x>",
    group: "Validation",
    help: "of --stop variance: how small a part of the variance of all of that loss the last steps' is to be",
    row: false,
  },
  stopWindow: {
    ...whole([2, ANY]),
    default: 200,
    inBench: "decided",
    takes: "<n>",
    group: "Validation",
    help: "of --stop variance: how many of the last steps",
    row: false,
  },
  stopEvery: {
    ...whole([1, ANY]),
    default: 10,
    inBench: "decided",
    takes: "<n>",
    group: "Validation",
    help: "of --stop variance and held-out: steps from one measurement of that loss to the next",
    row: false,
  },
  ...MACHINE,
  memory: {
    ...oneOf(["normal", "low"]),
    default: "normal",
    takes: "<kind>",
    group: "Machine",
    help: "normal, or low to compute activations again instead of holding them",
  },
  output: {
    ...text,
    absent: "found",
    isUsers: true,
    isPlace: true,
    inBench: "decided",
    takes: "<folder>",
    defaultText: "runs/<class>-<n>",
    help: "the run's folder",
    row: false,
  },
} as const satisfies SettingsTable;
