import { ModelError } from "../system/errors.ts";

/** A number for the layers whose names match. */
export interface LayerPattern {
  readonly matches: (layer: string) => boolean;
  readonly number: number;
}

/**
 * The parts of regular expressions that are understood: names, anchors, alternatives in brackets without repetition, and `.*`, `\d+` and the like.
 * What they match takes no time that grows faster than the name's length to the power of {@link MOST_REPEATS} + 1.
 */
const UNDERSTOOD = /^(?:\w|\.[*+]?|\\\.|\\d\+?|\[0-9\]\+?|\^|\$|\((?:\?:)?|\)|\|)*$/;
const MOST_REPEATS = 2;
const MOST_LENGTH = 2000;

/**
 * A key of PEFT's `rank_pattern` or `alpha_pattern`, a regular expression for the whole name or an end of it that begins after a dot.
 *
 * Source: `get_pattern_key` in peft/utils/other.py: `re.match(rf"(.*\.)?({key})$", name)`.
 *
 * @param where begins an error's message
 * @throws ModelError for what is no such expression, or more than is understood
 */
export function layerPattern(key: string, number: number, where: string): LayerPattern {
  const fail = () =>
    new ModelError(
      `${where}: ${JSON.stringify(key.slice(0, 80))}: only names of layers and simple regular expressions are supported`,
    );
  if (key.length > MOST_LENGTH || !UNDERSTOOD.test(key)) throw fail();
  if ((key.match(/[*+]/g) ?? []).length > MOST_REPEATS) throw fail();
  let pattern: RegExp;
  try {
    pattern = new RegExp(String.raw`^(?:.*\.)?(?:${key})$`);
  } catch {
    throw fail();
  }
  return { matches: (layer) => pattern.test(layer), number };
}

/** What the first matching pattern has for a layer. Text encoders' layers have been with `text_model.` before them and without. */
export function matchOf(patterns: readonly LayerPattern[], layer: string): number | undefined {
  const names = [layer, layer.startsWith("text_model.") ? layer.slice("text_model.".length) : `text_model.${layer}`];
  return patterns.find(({ matches }) => names.some(matches))?.number;
}
