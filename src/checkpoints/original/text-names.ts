import type { Source } from "./view.ts";

/**
 * Where OpenCLIP's layout has a text encoder's parameter, by its name in transformers without `text_model.`: SD 2.x and the second of
 * SDXL's encoders. Queries, keys and values lie in one matrix; the projection is written the other way round.
 *
 * Source: open_clip/transformer.py; diffusers, `convert_open_clip_checkpoint`.
 */
export function openClipSource(name: string): Source {
  const attention = /^encoder\.layers\.(\d+)\.self_attn\.([qkv])_proj\.(weight|bias)$/.exec(name);
  if (attention !== null) {
    const [, layer, which, kind] = attention;
    return { name: `transformer.resblocks.${layer}.attn.in_proj_${kind}`, third: "qkv".indexOf(which) };
  }
  if (name === "text_projection.weight") return { name: "text_projection", transposed: true };
  const whole: Readonly<Record<string, string>> = {
    "embeddings.token_embedding.weight": "token_embedding.weight",
    "embeddings.position_embedding.weight": "positional_embedding",
  };
  return {
    name:
      whole[name] ??
      name
        .replace(/^final_layer_norm\./, "ln_final.")
        .replace(/^encoder\.layers\./, "transformer.resblocks.")
        .replace(/\.layer_norm([12])\./, ".ln_$1.")
        .replace(".self_attn.out_proj.", ".attn.out_proj.")
        .replace(".mlp.fc1.", ".mlp.c_fc.")
        .replace(".mlp.fc2.", ".mlp.c_proj."),
  };
}
