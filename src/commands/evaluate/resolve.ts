import { join } from "node:path";
import { EMBEDDED_FOLDER, EMBEDDED_MODEL } from "../../checkpoints/embedded.ts";
import { readPictures } from "../../evaluation/pictures.ts";
import type { EvaluateSettings } from "./run.ts";
import { JUDGE_NAMES, type JudgeFolders, type JudgeName } from "../../evaluation/judge-names.ts";
import { UsageError } from "../../system/errors.ts";
import { say, setting } from "../../system/message.ts";
import { exists } from "../../system/files.ts";
import { chooseMachine } from "../machine.ts";
import type { Interaction } from "../interaction.ts";
import { areOnHub, findModels, type ModelRequest } from "../models/hub-models.ts";
import { EVALUATE } from "../../settings/evaluate.ts";
import { parseTable, type GivenSettings } from "../../settings/parse.ts";
import { checkFolder, checkOutput } from "../paths.ts";

/** What the engine is told, with folders checked and judges found. @throws UsageError */
export async function resolveEvaluation(given: GivenSettings, interaction: Interaction): Promise<EvaluateSettings> {
  const { judges: named, dino, clip, align, ...settings } = parseTable(EVALUATE, given);
  const folder = named === EMBEDDED_MODEL ? EMBEDDED_FOLDER : named;
  await checkFolder("references", settings.references, "the subject's photos");
  await checkFolder("images", settings.images, "the pictures to judge");
  if (settings.masks !== undefined) await checkFolder("masks", settings.masks, "masks named as their pictures");
  if (settings.output !== undefined) await checkOutput(settings.output);
  const requests = judgeRequests({ dino, clip, align });
  // Other mistakes are reported before anything is fetched.
  if (await areOnHub(Object.values(requests))) await readPictures({ ...settings, folder: settings.images });
  const { prompts, class: className, holdOut, masks, output, ...rest } = settings;
  const judges = await judgeFolders(folder, requests, interaction);
  if (masks !== undefined && judges.dino === undefined)
    throw new UsageError(
      say`${setting("masks")}: only DINO judges without the background; give ${setting("dino")}, or leave ${setting("masks")} out`,
    );
  const machine = await chooseMachine(rest, interaction);
  return { ...rest, ...machine, prompts, class: className, holdOut, masks, output, judges };
}

type JudgeRequests = Partial<Record<JudgeName, ModelRequest>>;

/** The judges that have settings of their own. */
function judgeRequests(own: Readonly<Record<JudgeName, string | undefined>>): JudgeRequests {
  const requests: JudgeRequests = {};
  for (const judge of JUDGE_NAMES) {
    const name = own[judge];
    if (name !== undefined) requests[judge] = { setting: judge, name };
  }
  return requests;
}

/** A folder for each judge: its own setting, or its name below `judges`. */
async function judgeFolders(
  folder: string | undefined,
  requests: JudgeRequests,
  interaction: Interaction,
): Promise<JudgeFolders> {
  const out = await findModels(requests, interaction);
  for (const name of JUDGE_NAMES)
    if (out[name] === undefined && folder !== undefined && (await exists(join(folder, name))))
      out[name] = join(folder, name);
  if (Object.keys(out).length === 0)
    throw new UsageError(
      folder === undefined
        ? say`give ${setting("judges")} FOLDER, or ${setting("dino")}, ${setting("clip")} or ${setting("align")} with a transformers folder or a name on the hub`
        : say`${setting("judges", folder)}: expected folders named ${JUDGE_NAMES.join(", ")} in it`,
    );
  return out;
}
