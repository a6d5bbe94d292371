import { checkDrawable } from "../../diffusion/text-to-image.ts";
import type { Image } from "../../images/image.ts";
import { toImage } from "../../images/pixels.ts";
import { assemble } from "../../runtime/resources.ts";
import { openDrawingModel, pictureSize } from "../drawing-model.ts";
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
        for (const [i, { seed }] of pictures.entries()) {
          if (shouldStop()) throw new Interrupted();
          // One at a time, as `rpo generate` does, so that a seed gives the same bytes there and here.
          const [picture] = await generator
            .generate({
              ...drawn,
              prompts: [embeddings[i]],
              negative: against,
              starts: [seed],
              guidanceScale: guidance,
              onStep(done, total) {
                emit({ type: "progress", phase: "drawing", done: i * total + done, total: pictures.length * total });
                if (shouldStop()) stop.abort();
              },
              signal: stop.signal,
            })
            .catch((error: unknown) => {
              throw stop.signal.aborted ? new Interrupted() : error;
            });
          images.push(toImage(picture));
        }
        return images;
      },
      release,
    };
  });
}
