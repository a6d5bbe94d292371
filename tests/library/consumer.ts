/** A program that uses all that is public: that it compiles is a test of the package's types. */
import {
  evaluate,
  loadPipeline,
  loadReward,
  ModelError,
  select,
  train,
  UsageError,
  version,
  type Candidate,
  type Control,
  type CostEstimate,
  type DrawnPicture,
  type Evaluation,
  type GenerateOptions,
  type Picture,
  type PictureSource,
  type RunEvent,
  type Sampler,
  type Score,
  type ScoredImage,
  type Selection,
  type StopReason,
  type TrainEvent,
  type TrainOptions,
  type TrainResult,
  type WorkEvent,
  type WorkPhase,
} from "rpo";

export async function draw(): Promise<Uint8Array> {
  await using pipeline = await loadPipeline({ adapter: "runs/dog", loras: [{ path: "style.safetensors" }] });
  const sampler: Sampler = "euler";
  const options: GenerateOptions = { prompt: ["a dog", "a cat"], sampler, count: 2, seed: undefined };
  const pictures: DrawnPicture[] = await pipeline.generate(options);
  const [first] = pictures;
  if (first === undefined) throw new RangeError("no picture");
  await first.save("dog.png");
  // @ts-expect-error there is no such sampler
  await pipeline.generate({ prompt: "a dog", sampler: "lms" });
  const plain: Picture = { width: first.width, height: first.height, data: first.data };
  return plain.data.length === 0 ? plain.data : await first.toPng();
}

export async function score(pictures: readonly PictureSource[]): Promise<number> {
  const phases = new Set<WorkPhase>();
  const listener: Control = {
    onEvent(event: WorkEvent) {
      if (event.type === "progress") phases.add(event.phase);
    },
  };
  const reward = await loadReward({ model: "kakaobrain/align-base", ...listener });
  const scores: Score[] = await reward.score({ references: "photos", pictures, prompts: "a [V] dog", lambda: 0.3 });
  await reward.release();
  return scores.reduce((sum, { reward: value }) => sum + value, 0);
}

export async function teach(options: TrainOptions, signal: AbortSignal): Promise<[StopReason, number] | undefined> {
  const images: ScoredImage[] = [];
  const kept: RunEvent[] = [];
  const onEvent = (event: TrainEvent): void => {
    if (event.type === "validation") images.push(...event.images);
    if (event.type === "step" || event.type === "stop") kept.push(event);
    if (event.type === "estimate" && event.secondsPerStep > 60) throw new RangeError("too slow");
  };
  const confirm = ({ seconds }: CostEstimate) => seconds < 3600;
  const { reason, best, output }: TrainResult = await train({ ...options, signal, onEvent, confirm });
  if (reason === "interrupted") await train({ output, resume: true, confirm: () => Promise.resolve(true) });
  const selection: Selection = await select({ run: output, lambda: 0.3 });
  const other: Candidate | undefined = selection.candidates.find(({ step }) => step !== best?.step);
  // @ts-expect-error the photos are missing
  void train({ class: "dog" });
  return reason === "declined" || reason === "finished-before" ? undefined : [reason, other?.mean ?? kept.length];
}

export async function judge(): Promise<number | undefined> {
  try {
    const evaluation: Evaluation = await evaluate({ references: "photos", images: "pictures", judges: "tiny" });
    return evaluation.pictures[0]?.dino ?? evaluation.means.dino;
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error instanceof ModelError ? new Error(`rpo ${version}: ${error.message}`) : error;
  }
}
