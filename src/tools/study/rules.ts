import { bestStep, untilStop } from "../../reward/choice.ts";
import { hasStoppedFalling, isStill, type Measured } from "../../reward/fixed-loss.ts";
import type { Anchors, RewardScale, Validation } from "../../reward/scale.ts";
import type { GradedRun, RewardPicture } from "./grade-run.ts";

/** Ways to choose a checkpoint, each from what it would know: never from the exam. */
export interface Rule {
  readonly name: string;
  /** @returns a step that was validated; undefined where the run lacks what the rule watches */
  readonly choose: (run: GradedRun, lambda: number) => number | undefined;
}

/** How a rule sees pictures. */
interface Sight {
  readonly form: RewardScale["form"];
  /** Pictures of each prompt. */
  readonly pictures: number;
  /** Who says how like the photos a picture is: the reward, or DINO. */
  readonly likeness: "align" | "dino";
  /** Whether prompts that repaint the subject are left out of the likeness. */
  readonly leaveOut: boolean;
  readonly patience?: number;
}

/** @param repaints of each validation prompt, whether it repaints the subject */
export function rulesOf(repaints: (run: GradedRun) => readonly boolean[]): Rule[] {
  const rewarded = (name: string, sight: Sight): Rule => ({
    name,
    choose(run, lambda) {
      const { validations, scale } = seenBy(run, sight, repaints(run));
      const { patience } = sight;
      const seen = patience === undefined ? validations : untilStop(validations, { lambda, patience, scale });
      return bestStep(seen, lambda, scale)?.step ?? 0;
    },
  });
  const harmonic = { form: "harmonic", likeness: "align", leaveOut: false } as const;
  const calibrated = { form: "calibrated", likeness: "align", leaveOut: true } as const;
  return [
    { name: "last", choose: (run) => run.validations[run.validations.length - 1].step },
    ...[80, 160, 240, 320, 400].map((step): Rule => ({
      name: `step ${step}`,
      choose: (run) => nearestStep(run, step),
    })),
    ...[1, 2, 3].map((pictures) => rewarded(`harmonic, ${8 * pictures} pictures`, { ...harmonic, pictures })),
    ...[1, 2, 3].map((pictures) => rewarded(`calibrated, ${8 * pictures} pictures`, { ...calibrated, pictures })),
    rewarded("calibrated, 24, every prompt in the likeness", { ...calibrated, pictures: 3, leaveOut: false }),
    rewarded("harmonic, 24, DINO for ALIGN-I", { ...harmonic, pictures: 3, likeness: "dino" }),
    rewarded("calibrated, 24, DINO for ALIGN-I", { ...calibrated, pictures: 3, likeness: "dino" }),
    rewarded("harmonic, 24, patience 2", { ...harmonic, pictures: 3, patience: 2 }),
    rewarded("calibrated, 24, patience 2", { ...calibrated, pictures: 3, patience: 2 }),
    { name: "lowest loss on a photo held out", choose: (run) => nearest(run, lowest(run.losses?.heldOut)) },
    { name: "loss on a photo held out, patience 2", choose: (run) => untilItRises(run, 2) },
    ...[0.15, 0.3, 0.5].map((threshold): Rule => ({
      name: `DVAR, threshold ${threshold}`,
      choose: (run) => nearest(run, stillAt(run, threshold)),
    })),
  ];
}

function lowest(losses: readonly Measured[] | undefined): number | undefined {
  return losses?.reduce((best, each) => (each.loss < best.loss ? each : best)).step;
}

/** The validated step of the lowest loss until it has not fallen for so many validations. */
function untilItRises(run: GradedRun, patience: number): number | undefined {
  const losses = run.losses?.heldOut;
  if (losses === undefined) return undefined;
  const steps = run.validations.map(({ step }) => step);
  const end = steps.find((step) => {
    const validated = steps.filter((each) => each > 0 && each <= step);
    const seen = losses.filter((each) => each.step <= step);
    return hasStoppedFalling(seen, { validated, patience });
  });
  return nearest(run, lowest(losses.filter(({ step }) => end === undefined || step <= end)));
}

/** The step at which DVAR stops, with a window that grows with the training: its authors' 200 of 1000 steps. The last one where it never does. */
function stillAt({ losses, validations }: GradedRun, threshold: number): number | undefined {
  if (losses === undefined) return undefined;
  const last = validations[validations.length - 1].step;
  const stops = losses.fixed.find((_, i) => isStill(losses.fixed.slice(0, i + 1), { window: last / 5, threshold }));
  return stops?.step ?? last;
}

/** A run's validations as a rule sees them. */
function seenBy(
  { validations, photos }: GradedRun,
  { form, pictures, likeness, leaveOut }: Sight,
  repaints: readonly boolean[],
): { validations: Validation[]; scale: RewardScale } {
  const isSeen = ({ index }: RewardPicture): boolean => index < pictures;
  const alignI = (picture: RewardPicture): number => (likeness === "align" ? picture.alignI : share(picture.dino));
  const seen = validations.map(({ step, images }) => ({
    step,
    images: images.filter(isSeen).map((picture) => ({ alignI: alignI(picture), alignT: picture.alignT })),
  }));
  const anchors: Anchors = {
    photosI: likeness === "align" ? photos.alignI : share(photos.dino),
    pictures: validations[0].images.filter(isSeen).map(({ promptIndex }) => ({
      photosT: photos.alignT[promptIndex],
      likeness: !(leaveOut && repaints[promptIndex]),
    })),
  };
  return { validations: seen, scale: { form, anchors } };
}

/** A cosine as ALIGN-I has it. */
function share(cosine: number): number {
  return Math.min(1, Math.max(0, (1 + cosine) / 2));
}

function nearest(run: GradedRun, wanted: number | undefined): number | undefined {
  return wanted === undefined ? undefined : nearestStep(run, wanted);
}

function nearestStep({ validations }: GradedRun, wanted: number): number {
  const steps = validations.map(({ step }) => step);
  return steps.reduce((best, step) => (Math.abs(step - wanted) < Math.abs(best - wanted) ? step : best));
}
