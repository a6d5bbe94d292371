import { copyFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { isWholeUnet, isWord, loadAdapted } from "../../checkpoints/adapted-unet.ts";
import { isCrossAttention } from "../../checkpoints/cross-attention.ts";
import { IMAGE_ADAPTER_FILE } from "../../checkpoints/image-adapter.ts";
import { readWord } from "../../checkpoints/embeddings/read.ts";
import {
  otherWordFilesIn,
  WORD_FILES,
  wordFilesIn,
  writeWord,
  writeWordFile,
} from "../../checkpoints/embeddings/word-files.ts";
import { writeKohyaLora } from "../../checkpoints/lora-files/kohya.ts";
import { modelSpec } from "../../checkpoints/lora-files/model-spec.ts";
import { writeModelCard } from "../../checkpoints/lora-files/model-card.ts";
import { TEXT_PARTS } from "../../checkpoints/lora-files/keys.ts";
import { loraOf, mergeUpdates, updatesOf } from "../../checkpoints/lora-files/merge.ts";
import { readLoraFile } from "../../checkpoints/lora-files/read.ts";
import type { LoraUpdates } from "../../checkpoints/lora-files/updates.ts";
import { readLora, readTargets, writeLora, type Lora } from "../../checkpoints/lora.ts";
import { DEFAULTS_FILE } from "../../checkpoints/model-index.ts";
import { openStableDiffusion, type StableDiffusion } from "../../checkpoints/stable-diffusion.ts";
import { checkRange, writePipeline } from "../../checkpoints/write-pipeline.ts";
import { repoOfSnapshot } from "../../hub/cache.ts";
import { CHECKPOINTS } from "../../runs/folder.ts";
import type { ExportFormat } from "../../settings/export.ts";
import { TRAIN_DEFAULTS } from "../../settings/train-settings.ts";
import { UsageError } from "../../system/errors.ts";
import { say, setting } from "../../system/message.ts";
import { exists, makeFolder, writeJson } from "../../system/files.ts";
import type { WorkControl, WorkEvent } from "../../system/work.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import type { ExportSettings } from "./settings.ts";
import { intoPlace } from "../into-place.ts";
import { checkAbsent } from "../paths.ts";
import type { SourceRun } from "../source.ts";
import type { Message } from "../../system/named-setting.ts";

export type ExportEvent = WorkEvent<"exporting">;

export interface ExportResult {
  readonly output: string;
  /** What was exported. */
  readonly checkpoint: string;
}

/**
 * Writes what was trained in another program's format. Nothing is left behind when it fails.
 * @throws UsageError when there is nothing to export or the output is taken, ModelError on damaged files
 */
export async function exportCheckpoint(
  settings: ExportSettings,
  { emit }: Pick<WorkControl<ExportEvent>, "emit">,
): Promise<ExportResult> {
  const { source, adapter, variant, vae, prediction, run, format, dtype, loras = [] } = settings;
  const { checkpoint = adapter } = settings;
  if (checkpoint === undefined)
    throw new UsageError(
      `${source}: its best checkpoint is the starting model, so that there is nothing to export; name a checkpoint, such as ${join(source, CHECKPOINTS, "000040")}, or choose another with rpo select`,
    );
  const whole = adapter === undefined ? loras.length === 0 : await isWholeUnet(adapter);
  if (whole && format !== "diffusers")
    throw new UsageError(
      say`${setting("format", format)}: ${adapter ?? settings.model} is a whole ${adapter === undefined ? "model" : "U-Net"} and no LoRA; only ${setting("format", "diffusers")} takes it`,
    );
  const word = adapter !== undefined && (await isWord(adapter));
  if (word && format !== "kohya")
    throw new UsageError(
      say`${setting("format", format)}: ${adapter} is a word and changes nothing of the model; diffusers loads it from there (pipe.load_textual_inversion), and ${setting("format", "kohya")} writes it for ComfyUI, A1111 and Forge`,
    );
  const isCustom = adapter !== undefined && (await isCrossAttention(adapter));
  if (isCustom && format !== "diffusers")
    throw new UsageError(
      say`${setting("format", format)}: ${adapter} is keys and values of the attention to texts and no LoRA; only ${setting("format", "diffusers")} takes it`,
    );
  const output = settings.output ?? defaultOutput(checkpoint, run, format);
  await checkAbsent(output);

  const warn = (text: Message) => emit({ type: "warning", text });
  const model = await openStableDiffusion(settings.model, { variant, vae, prediction, warn });
  const progress = (done: number, total: number) => emit({ type: "progress", phase: "exporting", done, total });
  progress(0, 1);
  // Checked against the model whatever the format: a LoRA of another model is found here and not in another program.
  if (word) {
    const { vectors } = await readWord(adapter, model, run?.settings.token);
    checkRange(adapter, new Map(vectors.map((tensor, i) => [WORD_FILES[i], tensor])), dtype);
    await intoPlace(output, (path) => writeWordFile(path, vectors, { dtype }));
    progress(1, 1);
    return { output, checkpoint: adapter };
  }
  if (adapter !== undefined && (await exists(join(adapter, IMAGE_ADAPTER_FILE))))
    warn(
      `${join(adapter, IMAGE_ADAPTER_FILE)} stays behind: only rpo generate and its authors' code draw with a photo`,
    );
  const { weights, lora, texts } = await loadAdapted(model, adapter, (unet) => unet.load());
  const updates: LoraUpdates[] = [];
  for (const { path } of loras) updates.push(await readLoraFile(path, model));
  const write = async (path: string): Promise<void> => {
    if (format === "diffusers") {
      const session = { threads: settings.threads };
      const [base, parameters] = splitLora(weights);
      let unet: Weights =
        lora === undefined ? base : await mergeUpdates(base, updatesOf({ ...lora, parameters }), 1, session);
      for (const each of updates) unet = await mergeUpdates(unet, each.get("unet") ?? [], 1, session);
      const adaptText = async (encoder: Weights, place: number): Promise<Weights> => {
        let adapted = encoder;
        for (const each of [...(texts === undefined ? [] : [texts]), ...updates])
          adapted = await mergeUpdates(adapted, each.get(TEXT_PARTS[place]) ?? [], 1, session);
        return adapted;
      };
      await writePipeline(path, model, unet, { dtype, onPart: progress, adaptText });
      if (isCustom && (await wordFilesIn(adapter)).length > 0) {
        const { word: name, vectors } = await readWord(adapter, model, run?.settings.token);
        await writeWord(path, name, vectors);
      }
      for (const file of isCustom ? await otherWordFilesIn(adapter) : [])
        await copyFile(file, join(path, basename(file)));
      return writeGuidance(path, run);
    }
    const trained = adapter === undefined ? asOneLora(loras[0].path, updates[0], format) : await readLora(adapter);
    for (const { parameters } of [trained, ...(trained.texts ?? [])]) checkRange(checkpoint, parameters, dtype);
    const trigger = run && `${run.settings.token} ${run.settings.class}`;
    if (format === "peft") {
      const base = repoOfSnapshot(settings.model)?.repo;
      await makeFolder(path);
      // a folder's name alone: where it is here is nobody's business elsewhere
      await writeModelCard(path, { ...trained, base: base ?? basename(settings.model), trigger });
      const targets = await readTargets(checkpoint, trained);
      return writeLora(path, { ...trained, targets, ...(base !== undefined && { base }) }, { dtype });
    }
    const title = basename(output).replace(/\.safetensors$/, "");
    return writeKohyaLora(path, trained, model, {
      dtype,
      metadata: { ...kohyaMetadata(run, model), ss_output_name: title, ...modelSpec({ title, trigger }, model) },
    });
  };
  await intoPlace(output, write);
  progress(1, 1);
  return { output, checkpoint };
}

/** Another program's LoRA as this program's own are. @throws UsageError where it holds more than those do */
function asOneLora(path: string, updates: LoraUpdates, format: ExportFormat): Lora {
  const lora = loraOf(updates);
  if (lora !== undefined) return lora;
  throw new UsageError(
    say`${setting("format", format)}: ${path} holds more than a LoRA of linear layers in one rank; take that file itself, or ${setting("format", "diffusers")} for the whole model with it`,
  );
}

/** RUN/exports/peft-000120, kohya's file as RUN-000120.safetensors. */
function defaultOutput(checkpoint: string, run: SourceRun | undefined, format: ExportFormat): string {
  if (run === undefined)
    throw new UsageError(
      say`${setting("output")} is missing: ${checkpoint} is not in a run's folder, where exports go otherwise`,
    );
  const folder = resolve(run.folder);
  const step = basename(checkpoint);
  const name = format === "kohya" ? `${basename(folder)}-${step}.safetensors` : `${format}-${step}`;
  return join(folder, "exports", name);
}

type Weights = ReadonlyMap<string, Float32Tensor>;

/** A U-Net's own weights, and the LoRA's among them. */
function splitLora(weights: Weights): [base: Weights, lora: Weights] {
  const isLora = ([name]: readonly [string, unknown]) => /\.lora_[AB]\.weight$/.test(name);
  return [new Map([...weights].filter((entry) => !isLora(entry))), new Map([...weights].filter(isLora))];
}

/** The run's guidance as the model's own default, where it is another than ours: what the run drew with, its model should be drawn with. */
async function writeGuidance(folder: string, run: SourceRun | undefined): Promise<void> {
  const { guidance } = run?.settings ?? TRAIN_DEFAULTS;
  if (guidance !== TRAIN_DEFAULTS.guidance) await writeJson(join(folder, DEFAULTS_FILE), { train: { guidance } });
}

/** What A1111 shows of a LoRA, and filters by. */
function kohyaMetadata(run: SourceRun | undefined, model: StableDiffusion): Record<string, string> {
  const second = model.unet.config.crossAttentionDim === 1024;
  const version = model.family === "sdxl" ? "sdxl_base_v1-0" : second ? "sd_v2" : "sd_v1";
  const settings = run?.settings;
  return {
    ss_base_model_version: version,
    ss_v2: second ? "True" : "False",
    ...(settings && { ss_training_comment: `rpo; prompts say: ${settings.token} ${settings.class}` }),
  };
}
