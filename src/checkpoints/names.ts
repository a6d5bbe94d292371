/** Names that older checkpoints use for parameters. */

const VAE_ATTENTION: Readonly<Record<string, string>> = {
  query: "to_q",
  key: "to_k",
  value: "to_v",
  proj_attn: "to_out.0",
};

/**
 * The present name of a parameter, as diffusers renames it on loading: `query`, `key`, `value` and `proj_attn` of a VAE's attention.
 *
 * Source: diffusers, `ModelMixin._convert_deprecated_attention_blocks`.
 */
export function presentName(name: string): string {
  const [, path, part, kind] = /^(.*\battentions\.\d+)\.(query|key|value|proj_attn)\.(weight|bias)$/.exec(name) ?? [];
  return path === undefined ? name : `${path}.${VAE_ATTENTION[part]}.${kind}`;
}

/**
 * What a parameter may be called in a file: its own name, or that with a prefix put on or left away.
 * transformers 5 saves a CLIPTextModel without the `text_model.` that older versions, and models with projections, have.
 */
export function spellings(name: string, prefixes: readonly string[]): string[] {
  const others = prefixes.map((prefix) => (name.startsWith(prefix) ? name.slice(prefix.length) : prefix + name));
  return [name, ...others];
}

/** Counters that batch normalization saves and only training reads. */
export const NEVER_READ: readonly RegExp[] = [/\.num_batches_tracked$/];
