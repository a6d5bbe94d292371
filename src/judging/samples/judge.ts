import { openAlign } from "../../checkpoints/encoders.ts";
import { createFeatureEncoder } from "../../checkpoints/feature-encoder.ts";
import { readImage } from "../../images/read.ts";
import { createScorer, type Scorer } from "../../reward/scorer.ts";
import type { AnchorsEvent, RunControl } from "../../runs/events.ts";
import { withResources, type Own } from "../../runtime/resources.ts";
import { WHOLE } from "../../settings/limits.ts";
import type { TrainSettings } from "../../settings/train-settings.ts";
import { UsageError } from "../../system/errors.ts";
import { say, setting } from "../../system/message.ts";
import { provenanceOfReward } from "../../training/models.ts";
import { squareCutting } from "../../training/cutting.ts";
import { cutPhotos, readPhotos } from "../../training/photos.ts";
import { measureAnchors } from "../../training/validation.ts";
import { beginJudging } from "../begin.ts";
import { closestOf } from "../open-judging.ts";
import type { JudgeResult, JudgeTask } from "../task.ts";
import { conclude, nothingJudged } from "../conclude.ts";
import { pause, PATIENCE } from "../waiting.ts";
import { warnOnce } from "../warn-once.ts";
import { checkLinked, createLink } from "./link.ts";
import type { SampleSets } from "./find.ts";
import { scoreAll, type SampleContext } from "./score-all.ts";
import { samplePrompts } from "./prompts.ts";
import { createSampleSource, type SampleSource } from "./source.ts";
import type { Judgeable } from "./steps.ts";
import type { Message } from "../../system/named-setting.ts";

/**
 * Scores the pictures that a trainer drew itself, step by step; no model is drawn with. Checkpoints that are named besides are what there is to
 * keep.
 * @throws UsageError, ModelError before anything is written
 */
export async function judgeSamples(task: JudgeTask, samples: string, control: RunControl): Promise<JudgeResult> {
  const { request, patience = PATIENCE } = task;
  const source = createSampleSource(samples, { watch: task.watch, patience });
  const warn = warnOnce(control);
  return withResources(async (own) => {
    const begun = await beginJudging<SampleContext>(
      task,
      {
        prepare: () => openSamples(task, samples, { source, warn, own, control }),
        check: ({ first }) => {
          checkForm(request.rewardForm, first.found);
          return Promise.resolve();
        },
        measure: ({ scorer, first }) => measureStart(scorer, first, warn),
      },
      own,
      control,
    );
    if (begun === undefined) return nothingJudged(request);
    const { log, prepared } = begun;
    const link = createLink(task, patience.settleMs, warn);
    const judged = await scoreAll(task, prepared, {
      log,
      source,
      link,
      warn,
      control,
      open: (found) => judgeable(task, samples, found),
      measure: (now) => measureStart(prepared.scorer, now, warn),
    });
    return { judged, loads: { unet: 0, texts: 0 }, ...(await conclude(log, request, control.signal)) };
  });
}

interface Opening {
  readonly source: SampleSource;
  readonly warn: (text: Message) => void;
  readonly own: Own;
  readonly control: RunControl;
}

/** Opens photos and reward, and waits for the first pictures. @returns undefined where it was stopped before there were any */
async function openSamples(
  task: JudgeTask,
  samples: string,
  { source, warn, own, control }: Opening,
): Promise<SampleContext | undefined> {
  const { request } = task;
  control.emit({ type: "progress", phase: "loading", done: 0, total: 1 });
  const pictures = await readPhotos(request);
  // what is wrong with the pictures is said before the reward is read
  if ((await source.look()) === undefined)
    warn(`no pictures of a trainer's steps in ${samples} yet: they are waited for`);
  await checkLinked(task);
  const part = await openAlign(request.reward, { warn });
  const { threads, device, precision } = request;
  const encoder = own(await createFeatureEncoder(part, { threads, device, precision }));
  const scorer = await createScorer(
    encoder,
    pictures.map(({ picture }) => picture),
  );
  control.emit({ type: "progress", phase: "loading", done: 1, total: 1 });
  const first = await firstPictures(task, samples, { source, control });
  if (first === undefined) return undefined;
  const { settings } = first;
  return {
    settings,
    provenance: await provenanceOfReward(part, settings, pictures),
    squares: await cutPhotos(pictures, squareCutting(settings)),
    closest: closestOf(scorer, pictures),
    scorer,
    first,
  };
}

/** The first look with a step that can be judged. */
async function firstPictures(
  task: JudgeTask,
  samples: string,
  { source, control }: Pick<Opening, "source" | "control">,
): Promise<Judgeable | undefined> {
  const { patience = PATIENCE, watch } = task;
  for (let waits = 0; !control.signal.aborted; waits++) {
    const found = await source.look();
    let isChanging = false;
    for (const set of found?.sets ?? []) {
      if (found === undefined || !(await source.isReady(set, found))) isChanging = true;
      else {
        const opened = await judgeable(task, samples, found).catch(async (error: unknown) => {
          // what it is judged as is read from the first step, whichever is ready
          if (await source.isChanging(found.sets[0])) return undefined;
          throw error;
        });
        if (opened !== undefined) return opened;
        isChanging = true;
      }
    }
    for (const set of found?.partial ?? []) isChanging = (await source.isChanging(set)) || isChanging;
    if (!watch && !isChanging)
      throw new UsageError(say`${setting("samples", samples)}: no step of it has all of its pictures`);
    if (waits === 0) control.emit({ type: "progress", phase: "waiting", done: 0, total: 1 });
    await pause(patience.lookMs, control.signal);
  }
  return undefined;
}

/** What pictures are judged as. @throws UsageError where nothing says their prompts, or the first of them cannot be read */
async function judgeable({ request }: JudgeTask, samples: string, found: SampleSets): Promise<Judgeable> {
  const prompts = await samplePrompts(found, { ...request, samples });
  return { found, prompts, settings: await settingsOf(request, found) };
}

/** What the run's settings say of pictures that others drew. */
async function settingsOf(request: JudgeTask["request"], { sets, each }: SampleSets): Promise<TrainSettings> {
  const [set] = sets;
  const { width, height } = await readImage(set.pictures[0].path);
  const [least, most] = WHOLE.resolution;
  const resolution = request.resolution ?? Math.min(most, Math.max(least, Math.max(width, height)));
  return { ...request, resolution, validationImages: each, learningRate: request.learningRate ?? 0.0001 };
}

/** The calibrated reward measures from the starting model's pictures. */
async function measureStart(
  scorer: Scorer,
  { found, prompts }: Judgeable,
  warn: (text: string) => void,
): Promise<AnchorsEvent | undefined> {
  if (found.sets.at(0)?.step === 0)
    return measureAnchors({ scorer, prompts: { plain: prompts[0], training: prompts, validation: prompts } });
  warn(
    "the trainer drew nothing before its first step: the reward cannot be measured from the starting model, and is the harmonic one",
  );
  return undefined;
}

/** @throws UsageError where the calibrated reward is asked for and cannot be measured */
function checkForm(form: string, { sets }: SampleSets): void {
  if (form === "calibrated" && sets.at(0)?.step !== 0)
    throw new UsageError(
      say`${setting("rewardForm", form)}: it is measured from the starting model's pictures, and the trainer drew none before its first step; use ${setting("rewardForm", "harmonic")}`,
    );
}
