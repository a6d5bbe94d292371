import { embedPrompts, longPromptNote } from "../../diffusion/prompt-embeddings.ts";
import { readPlain, readWeightsBut } from "../../text/prompt-weights.ts";
import { checkDrawable } from "../../diffusion/text-to-image.ts";
import type { Image } from "../../images/image.ts";
import { toImage } from "../../images/pixels.ts";
import { TRAIN_DEFAULTS } from "../../settings/train-settings.ts";
import { assemble } from "../../runtime/resources.ts";
import { openDrawingModel, picturesTogether, pictureSize } from "../../commands/generate/drawing-model.ts";
import { countsTexts } from "../../commands/generate/photo.ts";
import { loadingOf, type Loaded, type ServiceControl, type Services } from "./services.ts";
import type { Message } from "../../system/named-setting.ts";

/** Loads all of a model, so that pictures of any prompt can be asked for. @throws UsageError, ModelError; the signal's reason */
export async function loadPipeline(
  settings: Services["pipeline"]["settings"],
  control: ServiceControl,
): Promise<Loaded<"pipeline">> {
  const loading = loadingOf(control, 3);
  loading(0);
  const warn = (text: Message) => control.emit({ type: "warning", text });
  const drawing = await openDrawingModel(settings, { warn });
  loading(1);
  return assemble(async (own, release) => {
    const texts = own(await drawing.openTexts());
    loading(2);
    const generator = own(await drawing.openGenerator());
    loading(3);
    const { model } = drawing;
    return {
      facts: { resolution: model.resolution },
      async answer({ pictures, negative, promptWeights, sampler, steps, guidance, ...wanted }, { emit, signal }) {
        const drawn = { ...pictureSize({ height: undefined, width: undefined, ...wanted }, model), sampler, steps };
        checkDrawable(drawn, { vae: model.vae.config, scheduler: model.scheduler });
        const prompts = pictures.map(({ prompt }) => prompt);
        const words = [settings.token ?? TRAIN_DEFAULTS.token, ...drawing.embeddings.map(({ word }) => word)];
        const read = promptWeights === true ? readWeightsBut(...words) : readPlain;
        const counted = countsTexts(settings.photo) ? [...prompts, negative ?? ""] : [];
        const long = longPromptNote(texts, counted, read);
        if (long !== undefined) emit({ type: "warning", text: long });
        const embeddings = await embedPrompts(texts, { prompts, negative, read });
        texts.clear();
        const images: Image[] = [];
        const batches = generator.batches({
          ...drawn,
          prompts: embeddings.prompts,
          negative: embeddings.negatives,
          starts: pictures.map(({ seed }) => seed),
          guidanceScale: guidance,
          // as many as `rpo generate` draws at a time, so that the same pictures have the same bytes there and here
          batch: picturesTogether(drawn, model, settings.device),
          onStep: (done, total) => emit({ type: "progress", phase: "drawing", done, total }),
          signal,
        });
        for await (const together of batches) images.push(...together.map(toImage));
        return images;
      },
      release,
    };
  });
}
