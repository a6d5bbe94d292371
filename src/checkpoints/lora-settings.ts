import { ModelError, type Message } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { checkPeftFields } from "./peft-fields.ts";
import { layerPattern, matchOf, type LayerPattern } from "./layer-patterns.ts";

/** What PEFT's LoraConfig, LoHaConfig and LoKrConfig say that changes the result. */
export interface LoraSettings {
  readonly rank: number;
  readonly alpha: number;
  /** Whether alpha is divided by √rank and not by the rank (rsLoRA, arXiv 2312.03732). */
  readonly isRankStabilized: boolean;
  /** Whether each layer has a magnitude (DoRA). */
  readonly usesDora: boolean;
  /** Ranks of layers that have others. */
  readonly rankPattern: readonly LayerPattern[];
  /** Alphas of layers that have others. */
  readonly alphaPattern: readonly LayerPattern[];
}

export interface ParseOptions {
  /** Whether everything is read that LoRA files may be. Default: only a LoRA of one rank and alpha, as this program trains it. */
  readonly all?: boolean;
}

/** The settings' kinds that are read, and what each calls alpha. */
const ALPHA_OF: Readonly<Record<string, string>> = { LORA: "lora_alpha", LOHA: "alpha", LOKR: "alpha" };

/** Of those, what a LoRA of one rank and alpha does not have. */
const NOT_PLAIN = ["use_dora", "rank_pattern", "alpha_pattern"];

/**
 * @param prefix Of each key: `unet.` in diffusers' metadata, nothing in adapter_config.json.
 * @param where Begins each error's message.
 * @throws ModelError for missing or impossible values, and for options that change the result and are not supported.
 */
export function parseSettings(
  value: unknown,
  prefix: string,
  where: string,
  { all = false }: ParseOptions = {},
): LoraSettings {
  if (typeof value !== "object" || value === null) throw new ModelError(`${where}: expected an object of settings`);
  const fields = new Map<string, unknown>(
    Object.entries(value).flatMap(([key, field]): [string, unknown][] =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), field]] : [],
    ),
  );
  const type = fields.get("peft_type") ?? "LORA";
  const kinds = all ? Object.keys(ALPHA_OF) : ["LORA"];
  if (typeof type !== "string" || !kinds.includes(type))
    throw new ModelError(
      say`${where}: peft_type ${JSON.stringify(type)} is not supported, only ${kinds.join(", ")}${elsewhere(all)}`,
    );
  const alphaKey = ALPHA_OF[type];
  const [rank, alpha] = [fields.get("r"), fields.get(alphaKey)];
  if (typeof rank !== "number" || !Number.isSafeInteger(rank) || rank < 1)
    throw new ModelError(`${where}: ${prefix}r must be an integer of 1 or more, not ${JSON.stringify(rank)}`);
  if (typeof alpha !== "number" || !Number.isFinite(alpha) || alpha <= 0)
    throw new ModelError(`${where}: ${prefix}${alphaKey} must be a number above 0, not ${JSON.stringify(alpha)}`);
  checkPeftFields(fields, where);
  for (const key of all ? [] : NOT_PLAIN)
    if (isSet(fields.get(key)))
      throw new ModelError(
        say`${where}: ${key} ${JSON.stringify(fields.get(key))} is not supported here${elsewhere(all)}`,
      );
  return {
    rank,
    alpha,
    isRankStabilized: fields.get("use_rslora") === true,
    usesDora: fields.get("use_dora") === true,
    rankPattern: parsePattern(fields.get("rank_pattern"), `${where}: ${prefix}rank_pattern`),
    alphaPattern: parsePattern(fields.get("alpha_pattern"), `${where}: ${prefix}alpha_pattern`),
  };
}

function elsewhere(all: boolean): Message {
  return all ? "" : say`; ${setting("lora")} takes LoRA files of every kind`;
}

/** The alpha of a layer. */
export function alphaOf({ alpha, alphaPattern }: LoraSettings, layer: string): number {
  return matchOf(alphaPattern, layer) ?? alpha;
}

/** The rank of a layer. */
export function rankOf({ rank, rankPattern }: LoraSettings, layer: string): number {
  return matchOf(rankPattern, layer) ?? rank;
}

function parsePattern(value: unknown, where: string): LayerPattern[] {
  if (!isSet(value)) return [];
  if (typeof value !== "object" || value === null) throw new ModelError(`${where}: expected an object of numbers`);
  return Object.entries(value).map(([pattern, number]: [string, unknown]) => {
    if (typeof number !== "number" || !Number.isFinite(number) || number <= 0)
      throw new ModelError(`${where}: ${pattern} must be a number above 0, not ${JSON.stringify(number)}`);
    return layerPattern(pattern, number, where);
  });
}

/** @throws ModelError unless each layer has A [rank, in, ...] and B [out, rank, ...]. */
export function checkPairs(parameters: ReadonlyMap<string, Float32Tensor>, rank: number, where: string): void {
  for (const [name, { shape }] of parameters) {
    const isA = name.endsWith(".lora_A.weight");
    const partner = isA
      ? name.replace(/lora_A\.weight$/, "lora_B.weight")
      : name.replace(/lora_B\.weight$/, "lora_A.weight");
    if (partner === name) throw new ModelError(`${where}: ${name} is neither a lora_A.weight nor a lora_B.weight`);
    if (!parameters.has(partner)) throw new ModelError(`${where}: ${name} is there, but ${partner} is missing`);
    if (shape.length < 2 || shape[isA ? 0 : 1] !== rank)
      throw new ModelError(
        `${where}: ${name} has shape [${shape.join(", ")}], expected [${isA ? `${rank}, in` : `out, ${rank}`}]`,
      );
  }
}

/** Anything but PEFT's ways of saying no. */
function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && JSON.stringify(value) !== "{}";
}
