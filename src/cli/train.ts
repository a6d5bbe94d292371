import { createInterface } from "node:readline/promises";
import { EMBEDDED_MODEL, isEmbedded } from "../checkpoints/embedded.ts";
import { repoOfSnapshot } from "../hub/cache.ts";
import { DEFAULT_REVISION } from "../hub/names.ts";
import { listImages } from "../images/read.ts";
import { runTask } from "../jobs/host.ts";
import type { CostEstimate, ProgressEvent, RunEvent } from "../rpo/events.ts";
import { readRunConfig } from "../rpo/run-config.ts";
import { exists, holdsRun, readEvents } from "../rpo/run-folder.ts";
import { rewardOf } from "../rpo/selection.ts";
import { readProgress } from "../rpo/state.ts";
import type { TrainRequest } from "../rpo/settings.ts";
import type { TrainResult } from "../rpo/train.ts";
import { UsageError } from "../tensor/errors.ts";
import { EXIT } from "./failure.ts";
import { onInterrupt } from "./interrupt.ts";
import { flagName, parseTrain, readConfigFile, type GivenSettings } from "./options.ts";
import { readModelDefaults } from "./model-defaults.ts";
import { areOnHub, findModels, restoreModel, trainingModels } from "./hub-models.ts";
import { checkModel, hubNameOf, modelFolder } from "./model-names.ts";
import { checkOutput, freeOutput } from "./paths.ts";
import { createProgress, duration, type Progress } from "./progress.ts";

export interface TrainFlags {
  readonly settings: GivenSettings;
  readonly config?: string | undefined;
  readonly resume: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

const ASK_ABOVE_SECONDS = 3600;

/** `rpo train`. @returns the exit code */
export async function trainCommand(flags: TrainFlags): Promise<number> {
  const request = await resolveRequest(flags);
  // A run that goes on checks its own photos and models, and needs none when it is finished.
  if (!flags.resume) await checkInputs(request);
  if (isEmbedded(request.model) && !isEmbedded(request.images)) process.stderr.write(`${MINIATURE}\n`);
  const progress = createProgress();
  const interrupt = onInterrupt(
    (line) => progress.log(line),
    () => progress.stop(),
  );
  try {
    const result = await runTraining(request, flags, progress, interrupt.signal);
    if (result.reason === "declined" && interrupt.signal.aborted) return EXIT.interrupted;
    await summarize(request, result);
    return result.reason === "interrupted" ? EXIT.interrupted : EXIT.done;
  } finally {
    progress.stop();
    interrupt.release();
  }
}

const MINIATURE =
  "note: the embedded model is a miniature of a rendered world, 64 pixels wide: it shows how training behaves, but cannot draw what is on photos; --model takes a real one, such as sd15";

/** Trains in the engine's thread, with the progress on the terminal. */
export async function runTraining(
  request: TrainRequest,
  flags: Pick<TrainFlags, "resume" | "yes" | "json">,
  progress: Progress,
  signal: AbortSignal,
): Promise<TrainResult> {
  try {
    return await runTask(
      "train",
      { request, resume: flags.resume },
      {
        onEvent: createListener(progress, flags.json),
        confirm: (estimate) => confirmCost(estimate, flags, progress, signal),
        signal,
      },
    );
  } finally {
    progress.stop();
  }
}

/** Flags over the config file; with --resume the run's own settings, which flags may repeat but not contradict. */
export async function resolveRequest({ settings, config, resume }: TrainFlags): Promise<TrainRequest> {
  const file = config === undefined ? {} : await readConfigFile(config);
  if (resume) return resumedRequest({ ...file, ...settings });
  const { output, ...request } = await parseWithModel(settings, file);
  await checkFree(output);
  return { ...request, output: output ?? (await freeOutput(request.class)) };
}

/** @throws UsageError where there is a run */
async function checkFree(output: string | undefined): Promise<void> {
  if (output !== undefined && (await holdsRun(output)))
    throw new UsageError(`--output ${output}: already holds a run; continue it with --resume or choose another folder`);
}

/** Settings with their models found, on the hub too, and with the defaults that the model has. */
async function parseWithModel(flags: GivenSettings, config: GivenSettings): Promise<ReturnType<typeof parseTrain>> {
  const draft = await parseWithDefaults(flags, config);
  const models = trainingModels({ ...config, ...flags });
  if (!(await areOnHub(Object.values(models)))) return draft;
  // What is wrong besides is said before anything is fetched.
  await checkFree(draft.output);
  await checkOwn({ ...draft, output: draft.output ?? "runs" });
  return parseWithDefaults({ ...flags, ...(await findModels(models)) }, config);
}

async function parseWithDefaults(flags: GivenSettings, config: GivenSettings): Promise<ReturnType<typeof parseTrain>> {
  const given = { ...config, ...flags };
  const { model = EMBEDDED_MODEL } = given;
  const defaults = typeof model === "string" ? await readModelDefaults(modelFolder("--model", model), given) : {};
  return parseTrain({ flags, config, model: defaults });
}

async function resumedRequest(given: GivenSettings): Promise<TrainRequest> {
  const { output, threads, ...others } = given;
  if (typeof output !== "string" || output.trim() === "")
    throw new UsageError("--resume needs --output, the folder of the run to continue");
  if (!(await holdsRun(output))) throw new UsageError(`--resume: no run in ${output} to continue`);
  const { settings: saved } = await readRunConfig(output);
  const { learningRate, ...rest } = saved;
  const comparable: GivenSettings = { ...rest, lr: learningRate, output };
  const wanted = parseTrain({ flags: { ...comparable, ...(await withoutSame(others, saved)), output } });
  const known: GivenSettings = { ...parseTrain({ flags: comparable }) };
  for (const [key, value] of Object.entries(wanted))
    if (key !== "threads" && JSON.stringify(value) !== JSON.stringify(known[key]))
      throw new UsageError(
        `--resume: ${flagName(key === "learningRate" ? "lr" : key)} ${JSON.stringify(value)} differs from the run's ${JSON.stringify(known[key])}; leave it out, or start a new run`,
      );
  if ((await readProgress(output))?.finished !== true) {
    await restoreModel("--model", saved.model, saved.variant);
    await restoreModel("--reward", saved.reward);
  }
  if (threads === undefined) return { ...saved, output };
  const request = { ...saved, output, threads: parseTrain({ flags: { ...comparable, threads } }).threads };
  if (request.threads !== saved.threads)
    process.stderr.write(
      `rpo: the run was begun with ${saved.threads} threads; with ${request.threads} its results will differ in the last bits\n`,
    );
  return request;
}

/** Without names of models on the hub that are the run's own, whatever their branches are at now. */
async function withoutSame(given: GivenSettings, saved: TrainRequest): Promise<GivenSettings> {
  const rest: Record<string, unknown> = { ...given };
  for (const key of ["model", "reward"] as const) {
    const name = given[key];
    const onHub = typeof name === "string" ? await hubNameOf(`--${key}`, name) : undefined;
    const run = repoOfSnapshot(saved[key]);
    if (onHub === undefined || onHub.repo !== run?.repo) continue;
    if (onHub.revision === DEFAULT_REVISION || onHub.revision === run.commit) rest[key] = saved[key];
  }
  return rest;
}

/** What can be seen without reading a model. */
export async function checkInputs(request: TrainRequest): Promise<void> {
  await checkOwn(request);
  await checkModel("--model", request.model);
  await checkModel("--reward", request.reward);
}

/** What is the user's own. */
async function checkOwn({
  images,
  prompts,
  output,
}: Pick<TrainRequest, "images" | "prompts" | "output">): Promise<void> {
  await listImages(images);
  if (prompts !== undefined && !(await exists(prompts))) throw new UsageError(`--prompts ${prompts}: no such file`);
  await checkOutput(output);
}

/** Prints the events as JSON lines, or feeds them to the progress display. */
function createListener(progress: Progress, json: boolean): (event: RunEvent | ProgressEvent) => void {
  let reward = "";
  return (event) => {
    if (json && event.type !== "progress") process.stdout.write(`${JSON.stringify(event)}\n`);
    switch (event.type) {
      case "progress":
        progress.update(event.phase, event.done, event.total, reward);
        break;
      case "warning":
        progress.log(`warning: ${event.text}`);
        break;
      case "validation":
        reward = `reward ${event.reward.toFixed(3)} ± ${event.standardError.toFixed(3)}`;
        progress.log(`step ${event.step}: ${reward} at lambda ${event.lambda}`);
        break;
      case "best":
        progress.log(`step ${event.step} is the best so far`);
        break;
      case "start":
      case "negative":
      case "step":
      case "stop":
      case "error":
      case "estimate":
        break;
    }
  };
}

async function confirmCost(
  estimate: CostEstimate,
  { yes, json }: Pick<TrainFlags, "yes" | "json">,
  progress: Progress,
  signal: AbortSignal,
): Promise<boolean> {
  const { seconds, secondsPerStep, pictures, steps, peakBytes } = estimate;
  if (json) process.stdout.write(`${JSON.stringify({ type: "estimate", ...estimate })}\n`);
  progress.log(
    `${steps} steps of ${secondsPerStep.toFixed(2)} s and ${pictures} pictures to draw: at most ${duration(seconds)}, about ${(peakBytes / 1e9).toFixed(1)} GB of memory`,
  );
  if (yes || seconds < ASK_ABOVE_SECONDS || !process.stdin.isTTY || !process.stderr.isTTY) return true;
  progress.stop();
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  prompt.on("SIGINT", () => process.emit("SIGINT"));
  const answer = await prompt.question("Go on? [Y/n] ", { signal }).catch(() => "n"); // Ctrl-C, or no more input
  prompt.close();
  return !/^\s*n/i.test(answer);
}

async function summarize({ output, lambda }: TrainRequest, { reason, step, best }: TrainResult): Promise<void> {
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  if (reason === "declined") {
    say("nothing was done");
    return;
  }
  if (reason === "interrupted") {
    say(`stopped at step ${step}; go on with: rpo train --resume --output ${output}`);
    return;
  }
  if (reason === "finished-before") say(`the run in ${output} is finished already`);
  else
    say(reason === "patience" ? `stopped at step ${step}: the reward no longer rises` : `all ${step} steps are done`);
  if (best !== undefined) {
    const start = await startingReward(output, lambda);
    const gain =
      start === undefined || best.step === 0 ? "" : ` (${signed(best.reward - start)} against the starting model)`;
    const name = best.step === 0 ? "the starting model" : `step ${best.step}`;
    say(`best at lambda ${lambda}: ${name}, reward ${best.reward.toFixed(3)}${gain}`);
  }
  say(`draw with it:  rpo generate --adapter ${output} --prompt "..." --output pictures`);
  say(`other lambda:  rpo select ${output} --lambda 0.3`);
}

/** The reward at step 0. */
async function startingReward(run: string, lambda: number): Promise<number | undefined> {
  for (const event of await readEvents(run))
    if (event.type === "validation" && event.step === 0) return rewardOf(event.images, lambda).mean;
  return undefined;
}

function signed(x: number): string {
  return `${x < 0 ? "-" : "+"}${Math.abs(x).toFixed(3)}`;
}
