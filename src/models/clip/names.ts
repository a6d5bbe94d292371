/** The name that `clipText` uses for a tensor of a CLIPTextModel's file: before transformers 5 all began with `text_model.`. */
export function canonicalClipTextName(name: string): string {
  return name.replace(/^text_model\./, "");
}
