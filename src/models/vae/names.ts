/** Attention's names before diffusers 0.17, which SD 1.x and 2.x VAEs were published with. */
const LEGACY: Readonly<Record<string, string>> = { query: "to_q", key: "to_k", value: "to_v", proj_attn: "to_out.0" };

/** The name that `encodeVae` and `decodeVae` use for a tensor of a checkpoint, old or new. */
export function canonicalVaeName(name: string): string {
  return name.replace(
    /(\.attentions\.\d+\.)(query|key|value|proj_attn)(?=\.)/,
    (_, before: string, old: string) => `${before}${LEGACY[old]}`,
  );
}
