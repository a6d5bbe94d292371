import { stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { listImages } from "../images/read.ts";
import { runTask } from "../jobs/host.ts";
import type { CostEstimate, ProgressEvent, RunEvent } from "../rpo/events.ts";
import { readRunConfig } from "../rpo/run-config.ts";
import { exists, holdsRun } from "../rpo/run-folder.ts";
import type { TrainRequest } from "../rpo/settings.ts";
import type { TrainResult } from "../rpo/train.ts";
import { UsageError } from "../tensor/errors.ts";
import { EXIT } from "./failure.ts";
import { onInterrupt } from "./interrupt.ts";
import { flagName, parseTrain, readConfigFile, type GivenSettings } from "./options.ts";
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
  await checkInputs(request);
  const progress = createProgress();
  const interrupt = onInterrupt((line) => progress.log(line));
  const listener = createListener(progress, flags.json);
  try {
    const result = await runTask(
      "train",
      { request, resume: flags.resume },
      { onEvent: listener, confirm: (estimate) => confirmCost(estimate, flags, progress), signal: interrupt.signal },
    );
    progress.stop();
    summarize(request, result);
    return result.reason === "interrupted" ? EXIT.interrupted : EXIT.done;
  } finally {
    progress.stop();
    interrupt.release();
  }
}

/** Flags over the config file; with --resume the run's own settings, which flags may repeat but not contradict. */
async function resolveRequest({ settings, config, resume }: TrainFlags): Promise<TrainRequest> {
  const file = config === undefined ? {} : await readConfigFile(config);
  if (resume) return resumedRequest({ ...file, ...settings });
  const { output, ...request } = parseTrain(settings, file);
  if (output !== undefined && (await holdsRun(output)))
    throw new UsageError(`--output ${output}: already holds a run; continue it with --resume or choose another folder`);
  if (output !== undefined && (await exists(output)) && !(await stat(output)).isDirectory())
    throw new UsageError(`--output ${output}: not a folder`);
  return { ...request, output: output ?? (await freeOutput(request.class)) };
}

async function resumedRequest(given: GivenSettings): Promise<TrainRequest> {
  const { output, threads, ...others } = given;
  if (typeof output !== "string" || output.trim() === "")
    throw new UsageError("--resume needs --output, the folder of the run to continue");
  if (!(await holdsRun(output))) throw new UsageError(`--resume: no run in ${output} to continue`);
  const { settings: saved } = await readRunConfig(output);
  const { learningRate, ...rest } = saved;
  const comparable: GivenSettings = { ...rest, lr: learningRate };
  const wanted = parseTrain({ ...comparable, ...others, output }, {});
  const known: GivenSettings = { ...saved };
  for (const [key, value] of Object.entries(wanted))
    if (
      key !== "threads" &&
      value !== undefined &&
      JSON.stringify(value) !== JSON.stringify(known[key]) &&
      key !== "output"
    )
      throw new UsageError(
        `--resume: ${flagName(key === "learningRate" ? "lr" : key)} ${JSON.stringify(value)} differs from the run's ${JSON.stringify(known[key])}; leave it out, or start a new run`,
      );
  if (threads !== undefined && Number(threads) !== saved.threads) {
    process.stderr.write(
      `rpo: the run was begun with ${saved.threads} threads; with ${JSON.stringify(threads)} its results will differ in the last bits\n`,
    );
    return { ...saved, output, threads: parseTrain({ ...comparable, output, threads }, {}).threads };
  }
  return { ...saved, output };
}

/** runs/dog-1, runs/dog-2, ... */
async function freeOutput(className: string): Promise<string> {
  const stem =
    className
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "") || "subject";
  for (let n = 1; ; n++) if (!(await exists(join("runs", `${stem}-${n}`)))) return join("runs", `${stem}-${n}`);
}

/** What can be seen without reading a model. */
async function checkInputs({ images, model, reward, prompts }: TrainRequest): Promise<void> {
  await listImages(images);
  await checkFolder("--model", model, "a diffusers folder");
  await checkFolder("--reward", reward, "a transformers folder with an ALIGN model");
  if (prompts !== undefined && !(await exists(prompts))) throw new UsageError(`--prompts ${prompts}: no such file`);
}

export async function checkFolder(flag: string, path: string, expected: string): Promise<void> {
  const info = await stat(path).catch(() => undefined);
  if (info?.isDirectory() !== true) throw new UsageError(`${flag} ${path}: no such folder (expected ${expected})`);
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

async function confirmCost(estimate: CostEstimate, { yes, json }: TrainFlags, progress: Progress): Promise<boolean> {
  const { seconds, secondsPerStep, pictures, steps, peakBytes } = estimate;
  if (json) process.stdout.write(`${JSON.stringify({ type: "estimate", ...estimate })}\n`);
  progress.log(
    `${steps} steps of ${secondsPerStep.toFixed(2)} s and ${pictures} pictures to draw: at most ${duration(seconds)}, about ${(peakBytes / 1e9).toFixed(1)} GB of memory`,
  );
  if (yes || seconds < ASK_ABOVE_SECONDS || !process.stdin.isTTY || !process.stderr.isTTY) return true;
  progress.stop();
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await prompt.question("Go on? [Y/n] ");
  prompt.close();
  return !/^\s*n/i.test(answer);
}

function summarize({ output, lambda }: TrainRequest, { reason, step, best }: TrainResult): void {
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
  if (best !== undefined)
    say(
      `best at lambda ${lambda}: ${best.step === 0 ? "the starting model" : `step ${best.step}`}, reward ${best.reward.toFixed(3)}`,
    );
  say(`draw with it:  rpo generate --adapter ${output} --prompt "..." --output pictures`);
  say(`other lambda:  rpo select ${output} --lambda 0.3`);
}
