import { join } from "node:path";
import { openAlign } from "../../checkpoints/encoders.ts";
import { createFeatureEncoder } from "../../checkpoints/feature-encoder.ts";
import { readImage } from "../../images/read.ts";
import { writePng } from "../../images/write.ts";
import { createScorer } from "../../reward/scorer.ts";
import { checkUnchanged, startRun } from "../../runs/config.ts";
import type { RunControl, ScoredImage } from "../../runs/events.ts";
import { holdsRun, validationImagePath } from "../../runs/folder.ts";
import { writeJudged } from "../../runs/judged.ts";
import { pictureHashes } from "../../runs/pictures.ts";
import { endWhatWasBegun } from "../../runs/repair.ts";
import { withResources } from "../../runtime/resources.ts";
import { WHOLE } from "../../settings/limits.ts";
import type { TrainSettings } from "../../settings/train-settings.ts";
import { UsageError } from "../../system/errors.ts";
import { makeFolder } from "../../system/files.ts";
import { lockFolder } from "../../system/lock.ts";
import { say, setting } from "../../system/message.ts";
import { provenanceOfReward } from "../../training/models.ts";
import { squareCutting } from "../../training/cutting.ts";
import { cutPhotos, keepPhotos, readPhotos } from "../../training/photos.ts";
import type { Prompt } from "../../training/prompts.ts";
import { judgedValidation, measureAnchors } from "../../training/validation.ts";
import type { JudgeResult, JudgeTask } from "../task.ts";
import { openJudgedLog, type JudgedLog } from "../judged-log.ts";
import { closestOf } from "../open-judging.ts";
import { checkSameJudging, eventsBefore, JUDGE_LOCK } from "../resume.ts";
import { createScanner } from "../scan.ts";
import { placeOf } from "../trained.ts";
import { verdictOf } from "../verdict.ts";
import { pause, PATIENCE } from "../waiting.ts";
import { findSamples, type SampleSet, type SampleSets } from "./find.ts";
import { samplePrompts } from "./prompts.ts";

/**
 * Scores the pictures that a trainer drew itself, step by step; no model is drawn with. Checkpoints that are named besides are what there is to
 * keep.
 * @throws UsageError, ModelError before anything is written
 */
export async function judgeSamples(task: JudgeTask, samples: string, control: RunControl): Promise<JudgeResult> {
  const { request, judging, watch, patience = PATIENCE } = task;
  const run = request.output;
  const warn = (text: string) => control.emit({ type: "warning", text });
  return withResources(async (own) => {
    const goesOn = await holdsRun(run);
    const lock = async () => own({ release: await lockFolder(run, JUDGE_LOCK) });
    if (goesOn) {
      await checkSameJudging(run, request, judging);
      await lock();
      await endWhatWasBegun(run);
    }
    control.emit({ type: "progress", phase: "loading", done: 0, total: 1 });
    const pictures = await readPhotos(request);
    const first = await findSamples(samples);
    checkForm(request.rewardForm, first);
    const prompts = await samplePrompts(first, { ...request, samples });
    const settings = await settingsOf(task, first);
    const part = await openAlign(request.reward, { warn });
    const { threads, device, precision } = settings;
    const encoder = own(await createFeatureEncoder(part, { threads, device, precision }));
    const scorer = await createScorer(
      encoder,
      pictures.map(({ picture }) => picture),
    );
    const provenance = await provenanceOfReward(part, settings, pictures);
    control.emit({ type: "progress", phase: "loading", done: 1, total: 1 });
    if (goesOn) await checkUnchanged(run, settings, provenance);
    else {
      await makeFolder(run);
      await lock();
      await startRun(settings, provenance, judging);
    }
    const before = goesOn ? await eventsBefore(run) : [];
    const log = openJudgedLog(settings, before);
    const squares = await cutPhotos(pictures, squareCutting(settings));
    const photos = await keepPhotos(run, squares, pictureHashes(before));
    if (!log.isBegun) {
      const time = new Date().toISOString();
      const version = provenance.versions.rpo;
      const start = { type: "start", time, version, photos, ...closestOf(scorer, pictures) } as const;
      // the calibrated reward measures from the starting model's pictures
      const hasStart = first.sets.at(0)?.step === 0;
      if (!hasStart)
        warn(
          `the trainer drew nothing before its first step: the reward cannot be measured from the starting model, and is the harmonic one`,
        );
      const anchors = hasStart
        ? await measureAnchors({ scorer, prompts: { plain: prompts[0], training: prompts, validation: prompts } })
        : undefined;
      await log.begin(start, anchors);
      control.emit(start);
      if (anchors !== undefined) control.emit(anchors);
    }
    let judged = 0;
    for (let found = first; !control.signal.aborted; found = await findSamples(samples)) {
      await linkCheckpoints(task, found);
      const next = found.sets.find(({ step }) => !log.validations.some((each) => each.step === step));
      if (next !== undefined) {
        await record(next, { settings, prompts, log, control, each: found.each }, async (path, text) => {
          const image = await readImage(path);
          const [score] = await scorer.scoreNearest([image], [text]);
          return { image, score };
        });
        judged++;
        continue;
      }
      if (!watch) {
        for (const step of found.partial) warn(`passed over: step ${step}, of which some pictures are missing`);
        break;
      }
      control.emit({ type: "progress", phase: "waiting", done: 0, total: 1 });
      await pause(patience.lookMs, control.signal);
    }
    const reason = control.signal.aborted ? "interrupted" : "done";
    await log.end(reason === "done" ? "steps" : "interrupted");
    return { reason, judged, loads: { unet: 0, texts: 0 }, verdict: verdictOf(log, settings.lambda) };
  });
}

/** What the run's settings say of pictures that others drew. */
async function settingsOf({ request }: JudgeTask, { sets, each }: SampleSets): Promise<TrainSettings> {
  const [set] = sets;
  const { width, height } = await readImage(set.pictures[0].path);
  const [least, most] = WHOLE.resolution;
  const resolution = request.resolution ?? Math.min(most, Math.max(least, Math.max(width, height)));
  return { ...request, resolution, validationImages: each, learningRate: request.learningRate ?? 0.0001 };
}

interface Recording {
  readonly settings: TrainSettings;
  readonly prompts: readonly Prompt[];
  readonly log: JudgedLog;
  readonly control: RunControl;
  /** Pictures of each prompt. */
  readonly each: number;
}

type Score = (
  path: string,
  text: string,
) => Promise<{
  readonly image: Awaited<ReturnType<typeof readImage>>;
  readonly score: Pick<ScoredImage, "alignI" | "alignT" | "nearestI">;
}>;

/** Scores a step's pictures, and keeps them in the run's folder. */
async function record(
  { step, pictures }: SampleSet,
  { settings, prompts, log, control, each }: Recording,
  scored: Score,
): Promise<void> {
  const images: ScoredImage[] = [];
  for (const [i, { path }] of pictures.entries()) {
    const [promptIndex, index] = [Math.floor(i / each), i % each];
    const { text, rewardText } = prompts[promptIndex];
    const { image, score } = await scored(path, rewardText);
    const file = validationImagePath(step, promptIndex, index);
    const sha256 = await writePng(join(settings.output, file), image);
    // which noise it was drawn from, its trainer alone knows
    images.push({ prompt: rewardText, text, promptIndex, index, seed: 0, ...score, image: file, sha256 });
    control.emit({ type: "progress", phase: "validation", done: i + 1, total: pictures.length });
  }
  const validations = log.validations.filter((one) => one.step < step);
  const validation = judgedValidation({ step, images }, settings, { validations, anchors: log.anchors });
  const isBest = await log.put(validation);
  control.emit(validation);
  if (isBest) control.emit({ type: "best", step, reward: validation.reward });
}

/** Says in the run's folder which file is of which step, as far as files were named. */
async function linkCheckpoints({ request, judging }: JudgeTask, { sets }: SampleSets): Promise<void> {
  if (judging.checkpoints.length === 0) return;
  const { checkpoints } = await createScanner(judging.checkpoints).look();
  for (const { step, path } of checkpoints)
    if (sets.some((set) => set.step === step)) await writeJudged(request.output, await placeOf(step, path));
}

/** @throws UsageError where the calibrated reward is asked for and cannot be measured */
function checkForm(form: string, { sets }: SampleSets): void {
  if (form === "calibrated" && sets.at(0)?.step !== 0)
    throw new UsageError(
      say`${setting("rewardForm", form)}: it is measured from the starting model's pictures, and the trainer drew none before its first step; use ${setting("rewardForm", "harmonic")}`,
    );
}
