import { openAlign } from "../../checkpoints/encoders.ts";
import { createFeatureEncoder } from "../../checkpoints/feature-encoder.ts";
import type { Image } from "../../images/image.ts";
import { listPhotosIn } from "../../images/folder.ts";
import { readImage } from "../../images/read.ts";
import { droppedNote } from "../../text/parts.ts";
import { assemble } from "../../runtime/resources.ts";
import type { Alignment } from "../../reward/reward.ts";
import { createScorer } from "../../reward/scorer.ts";
import { loadingOf, type ImageSource, type Loaded, type ServiceControl, type Services } from "./services.ts";

/** Loads a reward, so that pictures of any subject can be scored. @throws ModelError; the signal's reason */
export async function loadReward(
  { model, ...session }: Services["reward"]["settings"],
  control: ServiceControl,
): Promise<Loaded<"reward">> {
  const loading = loadingOf(control, 1);
  loading(0);
  const part = await openAlign(model, { warn: (text) => control.emit({ type: "warning", text }) });
  return assemble(async (own, release) => {
    const encoder = own(await createFeatureEncoder(part, session));
    loading(1);
    return {
      facts: undefined,
      async answer({ references, pictures, texts }, { emit, signal }) {
        const photos = await readAll(
          typeof references === "string" ? await listPhotosIn(references, "references") : references,
        );
        const images = await readAll(pictures);
        const dropped = droppedNote(part.tokenizer, texts, "the reward");
        if (dropped !== undefined) emit({ type: "warning", text: dropped });
        const total = photos.length + images.length;
        emit({ type: "progress", phase: "scoring", done: 0, total });
        const scorer = await createScorer(
          encoder,
          photos.map((photo) => () => Promise.resolve(photo)),
        );
        const scores: Alignment[] = [];
        for (const [i, image] of images.entries()) {
          emit({ type: "progress", phase: "scoring", done: photos.length + i, total });
          signal.throwIfAborted();
          scores.push(...(await scorer.score([image], [texts[i]])));
        }
        emit({ type: "progress", phase: "scoring", done: total, total });
        return scores;
      },
      release,
    };
  });
}

function readAll(sources: readonly ImageSource[]): Promise<Image[]> {
  return Promise.all(sources.map(async (source) => (typeof source === "string" ? readImage(source) : source)));
}
