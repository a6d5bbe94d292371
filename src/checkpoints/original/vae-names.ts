/**
 * A VAE's parameter in the layout of the original code, by its name in diffusers: `encoder.down_blocks.0.resnets.1.conv_shortcut.weight`
 * is `encoder.down.0.block.1.nin_shortcut.weight`. The original counts the decoder's levels from the bottom up.
 *
 * Source: diffusionmodules/model.py of CompVis/stable-diffusion; diffusers, `convert_ldm_vae_checkpoint`.
 *
 * @param levels how many the VAE has
 */
export function originalVaeName(name: string, levels: number): string {
  return name
    .replace(/\bup_blocks\.(\d+)/, (_, up: string) => `up.${levels - 1 - Number(up)}`)
    .replace("down_blocks.", "down.")
    .replace(/\bmid_block\.resnets\.(\d+)/, (_, index: string) => `mid.block_${Number(index) + 1}`)
    .replace("mid_block.attentions.0.", "mid.attn_1.")
    .replace(".resnets.", ".block.")
    .replace("downsamplers.0.conv.", "downsample.conv.")
    .replace("upsamplers.0.conv.", "upsample.conv.")
    .replace("conv_shortcut", "nin_shortcut")
    .replace("conv_norm_out", "norm_out")
    .replace(
      /\b(attn_1\.)(group_norm|to_q|to_k|to_v|to_out\.0)\b/,
      (_, at: string, layer: string) => at + ATTENTION[layer],
    );
}

const ATTENTION: Readonly<Record<string, string>> = {
  group_norm: "norm",
  to_q: "q",
  to_k: "k",
  to_v: "v",
  "to_out.0": "proj_out",
};
