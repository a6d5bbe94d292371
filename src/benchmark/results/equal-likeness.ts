import { HARMONIC } from "../../reward/scale.ts";
import { judge } from "../../reward/judged.ts";
import { DEFAULT_LAMBDA } from "../methods.ts";
import { bySubject, pairOf } from "./measures.ts";
import { pairedFigure, type PairedFigure } from "./paired.ts";
import { isRpo, nameOf } from "./paths.ts";
import type { Curve } from "./view.ts";

/** A validation's likeness and obedience, by the reward's model. */
interface Point {
  readonly alignI: number;
  readonly alignT: number;
}

/** How much better or worse a method obeys than RPO, once it is as alike. */
export interface LikenessLine {
  readonly method: string;
  /** ALIGN-T of the method less RPO's; undefined where it is never as alike. */
  readonly alignT: PairedFigure | undefined;
  /** Trainings of the method that have an RPO beside them, and how many of these were never as alike. */
  readonly trainings: number;
  readonly missed: number;
}

/**
 * Compares every other way to train with RPO at equal likeness, which one table of last steps cannot: who obeys better may just have learnt less.
 * As alike is, for each subject and seed, as RPO is at its last validation. Both may stop where they like: of all points on a way that are at
 * least as alike, the one that obeys best counts.
 */
export function atEqualLikeness(curves: readonly Curve[]): LikenessLine[] {
  const rpo = new Map(curves.filter(isRpo).map((curve) => [pairOf(curve), pointsOf(curve)]));
  const groups = new Map<string, Curve[]>();
  for (const curve of curves.filter((each) => !isRpo(each)))
    groups.set(nameOf(curve), [...(groups.get(nameOf(curve)) ?? []), curve]);
  return [...groups].flatMap(([method, own]) => {
    const differences: { subject: string; seed: number; less: number }[] = [];
    let [trainings, missed] = [0, 0];
    for (const curve of own) {
      const way = rpo.get(pairOf(curve));
      const goal = way?.at(-1)?.alignI;
      if (way === undefined || goal === undefined) continue;
      trainings++;
      const [theirs, rpos] = [bestObedience(pointsOf(curve), goal), bestObedience(way, goal)];
      if (theirs === undefined || rpos === undefined) missed++;
      else differences.push({ subject: curve.subject, seed: curve.seed, less: theirs - rpos });
    }
    const alignT = pairedFigure(
      bySubject(differences, ({ less }) => less),
      "alignT",
    );
    return trainings === 0 ? [] : [{ method, alignT, trainings, missed }];
  });
}

/**
 * The highest ALIGN-T on the way through the points, straight between them, where ALIGN-I is at least so much.
 * @returns undefined where it never is
 */
export function bestObedience(points: readonly Point[], likeness: number): number | undefined {
  const there = points.filter(({ alignI }) => alignI >= likeness).map(({ alignT }) => alignT);
  const crossed = points.slice(1).flatMap((b, i) => {
    const a = points[i];
    if (a.alignI >= likeness === b.alignI >= likeness) return [];
    return [a.alignT + ((likeness - a.alignI) / (b.alignI - a.alignI)) * (b.alignT - a.alignT)];
  });
  const all = [...there, ...crossed];
  return all.length === 0 ? undefined : Math.max(...all);
}

function pointsOf({ validations }: Curve): Point[] {
  return judge(validations, DEFAULT_LAMBDA, HARMONIC).map(({ alignI, alignT }) => ({
    alignI: alignI.mean,
    alignT: alignT.mean,
  }));
}
