import { checkDrawable } from "../../diffusion/text-to-image.ts";
import type { Image } from "../../images/image.ts";
import { toImage } from "../../images/pixels.ts";
import { assemble } from "../../runtime/resources.ts";
import { openDrawingModel, picturesAtATime, pictureSize } from "../../commands/generate/drawing-model.ts";
import { Interrupted } from "../../system/failure.ts";
import { loadingOf, type Loaded, type ServiceControl } from "./loaded.ts";
import type { Services } from "./messages.ts";

/** Loads all of a model, so that pictures of any prompt can be asked for. @throws UsageError, ModelError, Interrupted */
export async function loadPipeline(
  settings: Services["pipeline"]["settings"],
  control: ServiceControl,
): Promise<Loaded<"pipeline">> {
  const loading = loadingOf(control, 3);
  loading(0);
  const warn = (text: string) => control.emit({ type: "warning", text });
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
      async answer({ pictures, negative, sampler, steps, guidance, ...wanted }, { emit, shouldStop }) {
        const drawn = { ...pictureSize({ height: undefined, width: undefined, ...wanted }, model), sampler, steps };
        checkDrawable(drawn, { vae: model.vae.config, scheduler: model.scheduler });
        const embeddings = await texts.encode(pictures.map(({ prompt }) => prompt));
        const against = await texts.encodeNegative(negative);
        texts.clear();
        const stop = new AbortController();
        const images: Image[] = [];
        const batches = generator.batches({
          ...drawn,
          prompts: embeddings,
          negative: against,
          starts: pictures.map(({ seed }) => seed),
          guidanceScale: guidance,
          // as many as `rpo generate` draws at a time, so that the same pictures have the same bytes there and here
          batch: picturesAtATime(drawn, model),
          onStep(done, total) {
            emit({ type: "progress", phase: "drawing", done, total });
            if (shouldStop()) stop.abort(new Interrupted());
          },
          signal: stop.signal,
        });
        if (shouldStop()) throw new Interrupted();
        for await (const together of batches) {
          images.push(...together.map(toImage));
          if (shouldStop() && images.length < pictures.length) throw new Interrupted();
        }
        return images;
      },
      release,
    };
  });
}
