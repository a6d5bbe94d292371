import { resolve } from "node:path";
import * as METHODS from "../../methods/index.ts";
import { methodEntry } from "../../settings/learning.ts";
import type { MethodEntry } from "../../settings/method-entry.ts";
import { gather, parseSources, type GivenSettings, type Source } from "../../settings/parse.ts";
import { belongsTo, keyOf, type Setting, type SettingsTable } from "../../settings/setting.ts";
import { TRAIN } from "../../settings/train.ts";
import { TRAIN_DEFAULTS, type TrainRequest } from "../../settings/train-settings.ts";
import { UsageError } from "../../system/errors.ts";
import { say, setting } from "../../system/message.ts";
import type { Machine, WantedMachine } from "../machine.ts";
import { defaultImageEncoder, defaultReward, modelFolder } from "../models/names.ts";

/** Where a training's settings come from: each wins over the next, and all over the defaults. */
export interface SettingsSources {
  readonly flags: GivenSettings;
  /** Of --config. */
  readonly config?: GivenSettings;
  /** Of a run that goes on. */
  readonly run?: GivenSettings;
  /** Of the model's folder. */
  readonly model?: GivenSettings;
}

/** Every setting of a run, checked; paths absolute, for a run outlives the folder it was started from. @throws UsageError naming the first that is wrong */
export function parseTrain({
  flags,
  config = {},
  run = {},
  model = {},
}: SettingsSources): Omit<TrainRequest, "output" | keyof Machine> &
  Partial<WantedMachine> & { output: string | undefined } {
  const asked: Source[] = [
    { given: flags, nameOf: setting },
    { given: config, nameOf: (name) => say`${setting("config")}: ${name}` },
  ];
  const { method = run["method"] ?? TRAIN_DEFAULTS.method, optimizer, preset: name } = gather(TRAIN, asked).values;
  const others = optimizer === "prodigy" ? withoutRates : (given: GivenSettings) => given;
  const preset = others(presetOf(method, name));
  const { output, prompts, reward, classFolder, ...rest } = parseSources(TRAIN, [
    ...asked,
    { given: preset, nameOf: (name) => `the preset: ${name}` },
    { given: run, nameOf: (name) => `the run's config.json: ${name}` },
    { given: others(ofMethod(method, model)), nameOf: (name) => `the model's rpo.json: ${name}` },
  ]);
  refuseOthers(asked, rest.method);
  return {
    ...rest,
    model: modelFolder("model", rest.model),
    reward: modelFolder("reward", reward ?? defaultReward(rest.model)),
    images: resolve(rest.images),
    prompts: prompts === undefined ? undefined : resolve(prompts),
    ...(rest.vae !== undefined && { vae: modelFolder("vae", rest.vae) }),
    ...(methodEntry(rest.method).readsPhotos === true && {
      imageEncoder: modelFolder("imageEncoder", rest.imageEncoder ?? defaultImageEncoder(rest.model)),
    }),
    classFolder: classFolder === undefined ? undefined : resolve(classFolder),
    output,
  };
}

/** What a preset of a method says; a method or a name that is none is refused with all other settings. @throws UsageError where there is no such preset */
function presetOf(method: unknown, name: unknown): GivenSettings {
  const entries: Readonly<Record<string, MethodEntry>> = METHODS;
  if (typeof name !== "string" || typeof method !== "string" || !Object.hasOwn(entries, method)) return {};
  const { presets = {} } = entries[method];
  if (Object.hasOwn(presets, name)) return presets[name].settings;
  const there = Object.keys(presets);
  throw new UsageError(
    say`${setting("preset", name)}: ${setting("method", method)} has ${there.length === 0 ? "none" : there.join(", ")}`,
  );
}

function settingOf(name: string): Setting | undefined {
  const settings: SettingsTable = TRAIN;
  return settings[keyOf(settings, name)];
}

/** What others say of AdamW's rates is none of Prodigy's. */
function withoutRates(given: GivenSettings): GivenSettings {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !/(^lr|Lr|[lL]earningRate)$/.test(name)));
}

/** A model's defaults for the method that trains it. */
function ofMethod(method: unknown, given: GivenSettings): GivenSettings {
  return Object.fromEntries(Object.entries(given).filter(([name]) => belongsTo(method, settingOf(name))));
}

/** @throws UsageError naming what was asked for and belongs to another method */
function refuseOthers(sources: readonly Source[], method: string): void {
  for (const { given, nameOf } of sources)
    for (const name of Object.keys(given)) {
      const { methods = [method] } = settingOf(name) ?? {};
      if (!methods.includes(method))
        throw new UsageError(
          say`${nameOf(name)}: belongs to ${setting("method", methods.join(" or "))}, not to ${method}`,
        );
    }
}
