import { isDeepStrictEqual } from "node:util";
import { join, relative, resolve } from "node:path";
import { parseCheckpointName } from "../../judging/names.ts";
import { readRunConfig } from "../../runs/config.ts";
import type { Judging } from "../../runs/judged.ts";
import { outputStem } from "../paths.ts";

/** Names of files and folders that say nothing of which training they are of. */
const ANYBODYS =
  /^(?:\.{0,2}|outputs?|out|saves?|backups?|checkpoints?|models?|loras?|results?|runs?|train(?:ing|er)?|workspace|samples?|images|validation[-_]images|last|final|epoch|step|at|unet|pytorch_lora_weights|adapter_model|diffusion_pytorch_model|model_index)$/i;

/**
 * Where a judging goes that was not told: runs/CLASS-judged, with what tells the training from others of the class: runs/dog-sdxl-judged.
 * Of the paths as they were given alone, so that the same command goes on with what it began.
 */
export function judgedOutput(className: string, paths: readonly string[], root = "runs"): string {
  const subject = outputStem(className);
  const names = paths.map(trainingName).filter((name) => name !== undefined);
  const training = names.length === 0 ? subject : outputStem(names[0]);
  const isNamed = `-${training}-`.includes(`-${subject}-`);
  return join(root, `${isNamed ? training : `${subject}-${training}`}-judged`);
}

/**
 * {@link judgedOutput}, or where it went before folders were called by their training too, runs/CLASS-judged, as long as that holds this judging
 * and the other does not.
 * @param judging with whole paths, as runs have them
 */
export async function defaultOutput(
  className: string,
  paths: readonly string[],
  judging: Judging,
  root = "runs",
): Promise<string> {
  const output = judgedOutput(className, paths, root);
  const former = join(root, `${outputStem(className)}-judged`);
  const isThere = async (run: string) => {
    const config = await readRunConfig(run).catch(() => undefined);
    return isDeepStrictEqual(config?.judging, judging);
  };
  return former !== output && (await isThere(former)) && !(await isThere(output)) ? former : output;
}

/** What a path calls its training: the last of its parts that is not everybody's. */
function trainingName(path: string): string | undefined {
  const parts = relative(process.cwd(), resolve(path)).split(/[\\/]/);
  return parts
    .reverse()
    .map(nameOfPart)
    .find((name) => /[a-z0-9]/i.test(name) && !ANYBODYS.test(name));
}

function nameOfPart(part: string): string {
  const [name] = part.replace(/\.safetensors$/, "").split(/[*?]/);
  // what is before a wildcard may have the beginning of a number: dog-0000
  if (name !== part.replace(/\.safetensors$/, ""))
    return name.replace(/[-_ .]*(?:step|epoch|checkpoint)?[-_ .0]*$/i, "");
  const { stem, isSure } = parseCheckpointName(name);
  return isSure ? stem : name;
}
