/** The name that `dino` uses for a tensor of a checkpoint: a ViT within a larger model has `vit.` before its names. */
export function canonicalDinoName(name: string): string {
  return name.replace(/^vit\./, "");
}
