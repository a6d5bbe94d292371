import type { Provenance } from "../runs/config.ts";
import type { RewardScale, Validation } from "../reward/scale.ts";
import type { ExamFile } from "../runs/exam-file.ts";
import type { Bucket } from "../images/buckets.ts";
import type { RunReport } from "./report.ts";

/** Everything that the page is made of. */
export interface ReportView {
  /** The run's folder as it was named. */
  readonly run: string;
  readonly report: RunReport;
  readonly provenance: Provenance;
  readonly photos: readonly Photo[];
  /** By their paths in the run's folder; a picture that is gone is missing. */
  readonly pictures: ReadonlyMap<string, Picture>;
  /** Paths of pictures that are no longer what the run wrote, and are left out. */
  readonly damaged: readonly string[];
  /** Steps whose checkpoint is in the run's folder. */
  readonly available: readonly number[];
  /** The files of a run that judges those of another program; undefined of a training. */
  readonly judged: JudgedFiles | undefined;
  readonly companions: readonly CompanionRun[];
  /** How the models of a demo did in the world's exam. */
  readonly exam: ExamFile | undefined;
  /** When the report was made. */
  readonly madeAt: Date;
}

/** What a run of `rpo judge` judged. */
export interface JudgedFiles {
  /** Whether it scored pictures that were there. */
  readonly fromSamples: boolean;
  /** Names of the files, by their steps; where they are is the reader's own business. */
  readonly names: ReadonlyMap<number, string>;
  /** Steps whose files are no longer there, or no longer what was judged. */
  readonly gone: ReadonlySet<number>;
  /** Likeness of the two photos that are most like each other. */
  readonly closestI: number | undefined;
}

export interface Picture {
  /** A data URI. */
  readonly src: string;
  readonly width: number;
  readonly height: number;
}

export interface Photo {
  readonly name: string;
  readonly picture: Picture | undefined;
  /** Its bucket, where photos have them. */
  readonly bucket?: Bucket | undefined;
}

/** Another run on the same prompts and noises, whose last validation is compared. */
export interface CompanionRun {
  readonly label: string;
  readonly validation: Validation;
  /** Its first picture of each prompt, as a data URI. */
  readonly pictures?: readonly (string | undefined)[];
}

/** What the page's script needs to judge again; it takes the pictures from the page itself. */
export interface LiveData {
  readonly run: string;
  readonly lambda: number;
  readonly scale: RewardScale;
  readonly validations: readonly Validation[];
  readonly shown: readonly number[];
  readonly available: readonly number[];
  readonly prompts: readonly string[];
  readonly companions: readonly CompanionRun[];
  /** What to say of a step that is not available. Default: that a training did not keep it. */
  readonly absence?: string | undefined;
}

export function liveData({ run, report, available, companions, judged }: ReportView): LiveData {
  const { settings, validations, scale, shown, prompts } = report;
  return {
    run,
    lambda: settings.lambda,
    scale,
    validations: validations.map(({ step, images }) => ({
      step,
      images: images.map(({ alignI, alignT }) => ({ alignI, alignT })),
    })),
    shown,
    available,
    prompts,
    companions,
    absence: judged && absenceOf(judged),
  };
}

/** Why a judged step cannot be drawn with. */
function absenceOf({ fromSamples, names }: JudgedFiles): string {
  return fromSamples && names.size === 0
    ? "The pictures were judged without the files that drew them."
    : "Its file is no longer there, or no longer what was judged.";
}
