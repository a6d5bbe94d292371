import { checkDrawable } from "../../diffusion/text-to-image.ts";
import type { Image } from "../../images/image.ts";
import { toImage } from "../../images/pixels.ts";
import { assemble } from "../../runtime/resources.ts";
import { openDrawingModel, picturesAtATime, pictureSize } from "../drawing-model.ts";
import { Interrupted } from "../failure.ts";
import type { Loaded, ServiceControl } from "./loaded.ts";
import type { Services } from "./messages.ts";

/** Loads all of a model, so that pictures of any prompt can be asked for. @throws UsageError, ModelError, Interrupted */
export async function loadPipeline(
  settings: Services["pipeline"]["settings"],
  control: ServiceControl,
): Promise<Loaded<"pipeline">> {
  const loading = (done: number) => {
    if (control.shouldStop()) throw new Interrupted();
    control.emit({ type: "progress", phase: "loading", done, total: 3 });
  };
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
        // As many at a time as `rpo generate` draws, so that the same pictures have the same bytes there and here.
        const batch = picturesAtATime(drawn, model);
        for (let first = 0; first < pictures.length; first += batch) {
          if (shouldStop()) throw new Interrupted();
          const together = pictures.slice(first, first + batch);
          const drawnTogether = await generator
            .generate({
              ...drawn,
              prompts: embeddings.slice(first, first + batch),
              negative: against,
              starts: together.map(({ seed }) => seed),
              guidanceScale: guidance,
              batch,
              onStep(done, total) {
                const steps = total / together.length;
                const progress = { done: first * steps + done, total: pictures.length * steps };
                emit({ type: "progress", phase: "drawing", ...progress });
                if (shouldStop()) stop.abort();
              },
              signal: stop.signal,
            })
            .catch((error: unknown) => {
              throw stop.signal.aborted ? new Interrupted() : error;
            });
          images.push(...drawnTogether.map(toImage));
        }
        return images;
      },
      release,
    };
  });
}
