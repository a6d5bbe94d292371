import { EMBEDDED_MODEL } from "../checkpoints/embedded.ts";
import { listImages } from "../images/read.ts";
import { readRunConfig } from "../rpo/run-config.ts";
import { exists, holdsRun } from "../rpo/run-folder.ts";
import type { TrainRequest } from "../rpo/settings.ts";
import { UsageError } from "../tensor/errors.ts";
import { readModelDefaults } from "./model-defaults.ts";
import { checkModel, modelFolder } from "./model-names.ts";
import { flagName, parseTrain, readConfigFile, type GivenSettings } from "./options.ts";
import { checkOutput, freeOutput } from "./paths.ts";

/** What flags ask of a training. */
export interface WantedTraining {
  readonly settings: GivenSettings;
  readonly config?: string | undefined;
  readonly resume: boolean;
}

/** Flags over the config file; with --resume the run's own settings, which flags may repeat but not contradict. */
export async function resolveRequest({ settings, config, resume }: WantedTraining): Promise<TrainRequest> {
  const file = config === undefined ? {} : await readConfigFile(config);
  if (resume) return resumedRequest({ ...file, ...settings });
  const { output, ...request } = await parseWithModel(settings, file);
  if (output !== undefined && (await holdsRun(output)))
    throw new UsageError(`--output ${output}: already holds a run; continue it with --resume or choose another folder`);
  return { ...request, output: output ?? (await freeOutput(request.class)) };
}

/** Settings with the defaults of the model that they name. */
async function parseWithModel(flags: GivenSettings, config: GivenSettings): Promise<ReturnType<typeof parseTrain>> {
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
  const wanted = parseTrain({ flags: { ...comparable, ...others, output } });
  const known: GivenSettings = { ...parseTrain({ flags: comparable }) };
  for (const [key, value] of Object.entries(wanted))
    if (key !== "threads" && JSON.stringify(value) !== JSON.stringify(known[key]))
      throw new UsageError(
        `--resume: ${flagName(key === "learningRate" ? "lr" : key)} ${JSON.stringify(value)} differs from the run's ${JSON.stringify(known[key])}; leave it out, or start a new run`,
      );
  if (threads === undefined) return { ...saved, output };
  const request = { ...saved, output, threads: parseTrain({ flags: { ...comparable, threads } }).threads };
  if (request.threads !== saved.threads)
    process.stderr.write(
      `rpo: the run was begun with ${saved.threads} threads; with ${request.threads} its results will differ in the last bits\n`,
    );
  return request;
}

/** What can be seen without reading a model. */
export async function checkInputs({ images, model, reward, prompts, output }: TrainRequest): Promise<void> {
  await listImages(images);
  await checkModel("--model", model);
  await checkModel("--reward", reward);
  if (prompts !== undefined && !(await exists(prompts))) throw new UsageError(`--prompts ${prompts}: no such file`);
  await checkOutput(output);
}
