import { join } from "node:path";
import { writeFileAtomic, writeFully } from "../../system/files.ts";

/** What a PEFT folder's card says. */
export interface CardFacts {
  /** The model that the LoRA is for: a name on the hub, or a folder. */
  readonly base: string;
  readonly rank: number;
  readonly alpha: number;
  /** Of the text encoders, where they have some. */
  readonly texts?: readonly unknown[] | undefined;
  /** What prompts say of the subject; undefined where nobody knows. */
  readonly trigger?: string | undefined;
}

/** Writes README.md into a PEFT folder: which programs load it, and which take a part of it in silence. */
export async function writeModelCard(
  folder: string,
  { base, rank, alpha, texts = [], trigger }: CardFacts,
): Promise<void> {
  const isHubName = /^[\w.-]+\/[\w.-]+$/.test(base);
  const text = [
    "---",
    ...(isHubName ? [`base_model: ${base}`] : []),
    "library_name: peft",
    "pipeline_tag: text-to-image",
    "tags: [lora, text-to-image, stable-diffusion, rpo]",
    "---",
    "",
    "# A LoRA in PEFT's layout",
    "",
    `Of the U-Net${texts.length > 0 ? " and the text encoders" : ""} of \`${base}\`, rank ${rank}, alpha ${alpha}.${trigger === undefined ? "" : ` Prompts say \`${trigger}\`.`}`,
    "",
    `diffusers loads the folder with \`pipe.load_lora_weights(folder)\`, PEFT with \`PeftModel.from_pretrained(unet, folder)\`${texts.length > 0 ? ", which takes the U-Net's part alone" : ""}.`,
    "",
    "**Not for ComfyUI, A1111 or Forge.** ComfyUI takes a part of the layers, without their alpha, and says nothing; Forge refuses the file.",
    "For these there is `rpo export RUN --format kohya`.",
    "",
  ].join("\n");
  await writeFileAtomic(join(folder, "README.md"), (file) => writeFully(file, Buffer.from(text)));
}
