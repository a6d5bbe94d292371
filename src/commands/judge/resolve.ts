import { resolve } from "node:path";
import type { JudgeTask } from "../../judging/task.ts";
import { JUDGE } from "../../settings/judge.ts";
import { parseTable, type GivenSettings } from "../../settings/parse.ts";
import { pickGiven } from "../../settings/setting.ts";
import { TRAIN } from "../../settings/train.ts";
import { UsageError } from "../../system/errors.ts";
import { exists } from "../../system/files.ts";
import { say, setting } from "../../system/message.ts";
import { listPhotos } from "../../training/photos.ts";
import { recordedKind } from "../../training/prompts.ts";
import type { Interaction } from "../interaction.ts";
import { chooseMachine } from "../machine.ts";
import { checkFolder, checkOutput } from "../paths.ts";
import { findModels } from "../models/hub-models.ts";
import { DEFAULT_REWARD } from "../models/names.ts";
import { parseTrain } from "../train/parse.ts";
import { checkInputs, parseWithModel } from "../train/resolve.ts";
import { defaultOutput } from "./output.ts";

/** What is asked of a judging. */
export interface WantedJudging {
  readonly settings: GivenSettings;
  readonly watch: boolean;
}

/** What the engine is told, everything checked that can be without reading a model. @throws UsageError, ModelError */
export async function resolveJudging({ settings, watch }: WantedJudging, interaction: Interaction): Promise<JudgeTask> {
  const { checkpoints, samples } = parseTable(JUDGE, settings);
  if (checkpoints.length === 0 && samples === undefined)
    throw new UsageError(
      say`${setting("checkpoints")} is missing: what to judge, such as output/dog-*.safetensors in quotes, or a trainer's output folder`,
    );
  // beside a training its folder may come later
  if (samples !== undefined && !(watch && !(await exists(samples))))
    await checkFolder("samples", samples, "a folder with the pictures that the trainer drew");
  const { output, ...asked } = pickGiven(TRAIN, settings);
  const request =
    samples === undefined ? await parseWithModel(asked, {}, interaction) : await parseForSamples(asked, interaction);
  const places = checkpoints.length > 0 || samples === undefined ? checkpoints : [samples];
  const judging = {
    checkpoints: checkpoints.map((path) => resolve(path)),
    ...(samples !== undefined && { samples: resolve(samples) }),
  };
  const run = typeof output === "string" ? output : await defaultOutput(request.class, places, judging);
  const training = {
    ...request,
    ...(await chooseMachine(request, interaction)),
    subject: request.prompts === undefined ? recordedKind(request.subject, request.class) : request.subject,
    // nothing trains, so that nothing stops early
    earlyStopping: false,
    output: run,
  };
  if (samples === undefined) await checkInputs(training);
  else {
    await listPhotos(training);
    await checkOutput(run);
  }
  return { request: training, judging, watch };
}

/** Pictures that are there need a reward and no model. @throws UsageError when one is named */
async function parseForSamples(given: GivenSettings, interaction: Interaction): Promise<ReturnType<typeof parseTrain>> {
  if ("model" in given)
    throw new UsageError(say`${setting("model")}: with ${setting("samples")} nothing is drawn; leave it out`);
  const { reward: name = DEFAULT_REWARD } = given;
  if (typeof name !== "string") return parseTrain({ flags: given });
  const { reward = name } = await findModels({ reward: { setting: "reward", name } }, interaction);
  return parseTrain({ flags: { ...given, reward } });
}
