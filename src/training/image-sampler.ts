import type { Generator } from "../diffusion/text-to-image.ts";
import { picturesAtATime } from "../diffusion/text-to-image.ts";
import type { Image } from "../images/image.ts";
import { toImage } from "../images/pixels.ts";
import type { Phase, RunControl } from "../runs/events.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import type { RunText } from "./run-text.ts";

/** A picture to draw. */
export interface PictureToDraw {
  readonly text: string;
  readonly seed: number;
}

export interface SamplingOptions<P extends PictureToDraw> {
  readonly phase: Phase;
  /** Told of each picture as it is done, in their order, while others are drawn. */
  readonly done: (image: Image, picture: P) => Promise<void>;
  /** Pictures that need not be drawn; they are drawn all the same where others of their batch are missing. */
  readonly skip?: (picture: P) => boolean;
}

/** Draws pictures with the weights as they stand. */
export interface ImageSampler {
  /**
   * Draws in batches that depend on the list alone: a picture's last bits may depend on what is drawn with it, and a resumed run
   * must draw what an uninterrupted one does.
   * @returns false when interrupted
   */
  draw<P extends PictureToDraw>(pictures: readonly P[], options: SamplingOptions<P>): Promise<boolean>;
  /** Seconds that one sampler step of one picture takes. */
  measurePictureStep(): Promise<number>;
}

/** The embeddings of all texts of a run. */
export interface Embeddings {
  /** Tokens of a text. */
  readonly length: number;
  of(text: string): RunText;
  /** Where text encoders train: reads those of some texts again that this changes. */
  readonly refresh?: (texts: ReadonlySet<string>) => Promise<void>;
}

const MOST_AT_A_TIME = 16;

export function createImageSampler(
  generator: Generator,
  settings: TrainSettings,
  latentSide: number,
  embeddings: Embeddings,
  control: Pick<RunControl, "emit" | "signal">,
): ImageSampler {
  const device = settings.memory === "low" ? "cpu" : settings.device;
  const batch = picturesAtATime(latentSide ** 2, device, MOST_AT_A_TIME);
  const common = {
    sampler: settings.sampler,
    guidanceScale: settings.guidance,
    height: settings.resolution,
    width: settings.resolution,
    batch,
  } as const;
  return {
    async draw(pictures, { phase, done, skip = () => false }) {
      const { signal } = control;
      const stepsOfAll = pictures.length * settings.validationSteps;
      const finish = async (images: readonly Float32Tensor[], drawn: typeof pictures): Promise<void> => {
        for (const [i, image] of images.entries()) {
          signal.throwIfAborted();
          await done(toImage(image), drawn[i]);
        }
      };
      await embeddings.refresh?.(new Set(["", ...pictures.map(({ text }) => text)]));
      const negative = embeddings.of("");
      let finishing: Promise<void> = Promise.resolve();
      try {
        for (let first = 0; first < pictures.length; first += batch) {
          const some = pictures.slice(first, first + batch);
          if (some.every(skip)) continue;
          const stepsBefore = first * settings.validationSteps;
          const images = await generator.generate({
            ...common,
            negative,
            prompts: some.map(({ text }) => embeddings.of(text)),
            starts: some.map(({ seed }) => seed),
            steps: settings.validationSteps,
            onStep: (steps) => control.emit({ type: "progress", phase, done: stepsBefore + steps, total: stepsOfAll }),
            signal,
          });
          await finishing;
          finishing = finish(images, some);
          finishing.catch(() => undefined); // told when it is waited for
        }
        await finishing;
        return true;
      } catch (error) {
        await finishing.catch(() => undefined); // nothing of it goes on when the models are released
        if (signal.aborted && error === signal.reason) return false;
        throw error;
      }
    },
    async measurePictureStep() {
      const run = async () => {
        const first = new AbortController();
        const started = performance.now();
        let seconds = 0;
        // the first of the sampler's steps: some samplers cannot do with one alone
        const denoised = generator.denoise({
          ...common,
          negative: embeddings.of(""),
          prompts: Array.from({ length: batch }, () => embeddings.of("")),
          starts: Array.from({ length: batch }, () => 0),
          steps: settings.validationSteps,
          signal: first.signal,
          onStep() {
            if (seconds === 0) seconds = (performance.now() - started) / 1000;
            first.abort();
          },
        });
        await denoised.catch((error: unknown) => {
          if (error !== first.signal.reason) throw error;
        });
        return seconds / batch;
      };
      const first = await run(); // with compiling
      return first * batch > 5 ? first : run();
    },
  };
}
