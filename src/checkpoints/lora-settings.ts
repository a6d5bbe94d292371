import { ModelError } from "../system/errors.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";

/** What PEFT's LoraConfig says that changes the result. */
export interface LoraSettings {
  readonly rank: number;
  readonly alpha: number;
  /** Ranks of layers that have others, by the ends of their names; undefined where they are named by regular expressions. */
  readonly rankPattern?: ReadonlyMap<string, number> | undefined;
  /** Alphas of layers that have others, by the ends of their names. */
  readonly alphaPattern?: ReadonlyMap<string, number>;
}

export interface ParseOptions {
  /** Whether ranks and alphas may differ between layers. Default: that is refused. */
  readonly patterns?: boolean;
}

const PATTERNS = ["rank_pattern", "alpha_pattern"];

/**
 * @param prefix Of each key: `unet.` in diffusers' metadata, nothing in adapter_config.json.
 * @param where Begins each error's message.
 * @throws ModelError for missing or impossible values, and for options that change the result and are not supported.
 */
export function parseSettings(
  value: unknown,
  prefix: string,
  where: string,
  { patterns = false }: ParseOptions = {},
): LoraSettings {
  if (typeof value !== "object" || value === null) throw new ModelError(`${where}: expected an object of settings`);
  const settings = new Map<string, unknown>(Object.entries(value));
  const get = (key: string) => settings.get(prefix + key);
  const [rank, alpha] = [get("r"), get("lora_alpha")];
  if (typeof rank !== "number" || !Number.isSafeInteger(rank) || rank < 1)
    throw new ModelError(`${where}: ${prefix}r must be an integer of 1 or more, not ${JSON.stringify(rank)}`);
  if (typeof alpha !== "number" || !Number.isFinite(alpha) || alpha <= 0)
    throw new ModelError(`${where}: ${prefix}lora_alpha must be a number above 0, not ${JSON.stringify(alpha)}`);
  const type = get("peft_type") ?? "LORA";
  if (type !== "LORA")
    throw new ModelError(`${where}: peft_type ${JSON.stringify(type)} is not supported, only "LORA"`);
  for (const key of ["use_dora", "use_rslora", "lora_bias", "fan_in_fan_out", ...(patterns ? [] : PATTERNS)])
    if (isSet(get(key))) throw new ModelError(`${where}: ${key} ${JSON.stringify(get(key))} is not supported`);
  if (!patterns) return { rank, alpha };
  const ranks = isSet(get("rank_pattern")) ? get("rank_pattern") : {};
  return {
    rank,
    alpha,
    rankPattern: isNamed(ranks) ? parsePattern(ranks, `${where}: ${prefix}rank_pattern`) : undefined,
    ...(isSet(get("alpha_pattern")) && {
      alphaPattern: parsePattern(get("alpha_pattern"), `${where}: ${prefix}alpha_pattern`),
    }),
  };
}

/** The alpha of a layer. */
export function alphaOf({ alpha, alphaPattern = new Map() }: LoraSettings, layer: string): number {
  return patternOf(alphaPattern, layer) ?? alpha;
}

/** The rank of a layer; undefined where the settings do not say it in names. */
export function rankOf({ rank, rankPattern }: LoraSettings, layer: string): number | undefined {
  return rankPattern && (patternOf(rankPattern, layer) ?? rank);
}

/** What a pattern has for a layer: the number of the first name that the layer's ends in. */
function patternOf(pattern: ReadonlyMap<string, number>, layer: string): number | undefined {
  for (const [end, value] of pattern)
    if ([layer, `text_model.${layer}`].some((name) => name === end || name.endsWith(`.${end}`))) return value;
  return undefined;
}

/** PEFT takes the keys of patterns for regular expressions; names as trainers write them hold none. */
const LAYER_NAME = /^[\w.]+$/;

function isNamed(pattern: unknown): boolean {
  return typeof pattern !== "object" || pattern === null || Object.keys(pattern).every((key) => LAYER_NAME.test(key));
}

function parsePattern(value: unknown, where: string): Map<string, number> {
  if (typeof value !== "object" || value === null) throw new ModelError(`${where}: expected an object of numbers`);
  return new Map(
    Object.entries(value).map(([end, alpha]: [string, unknown]) => {
      if (!LAYER_NAME.test(end))
        throw new ModelError(`${where}: ${JSON.stringify(end)}: only names of layers are supported`);
      if (typeof alpha !== "number" || !Number.isFinite(alpha) || alpha <= 0)
        throw new ModelError(`${where}: ${end} must be a number above 0, not ${JSON.stringify(alpha)}`);
      return [end, alpha];
    }),
  );
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
