/** Custom Diffusion's file of a U-Net's attention to texts, as diffusers' script writes it. */
export const CROSS_ATTENTION_FILE = "pytorch_custom_diffusion_weights.safetensors";

const OURS = /^(.+\.attn2)\.(to_[kvq]|to_out)(\.0)?\.(weight|bias)$/;
const THEIRS = /^(.+\.attn2)\.processor\.(to_[kvq]|to_out)_custom_diffusion(\.0)?\.(weight|bias)$/;

/** A layer's name there: `...attn2.processor.to_k_custom_diffusion.weight`; undefined for what is no layer of that attention. */
export function nameInFile(name: string): string | undefined {
  const [, attention, layer, place = "", kind] = OURS.exec(name) ?? [];
  return attention === undefined ? undefined : `${attention}.processor.${layer}_custom_diffusion${place}.${kind}`;
}

/** The U-Net's name of a tensor in that file: `...attn2.to_k.weight`; undefined for what is none. */
export function nameInUnet(key: string): string | undefined {
  const [, attention, layer, place = "", kind] = THEIRS.exec(key) ?? [];
  return attention === undefined ? undefined : `${attention}.${layer}${place}.${kind}`;
}
