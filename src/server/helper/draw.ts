import { findSource } from "../../commands/source.ts";
import { runTask } from "../../engine/host.ts";
import { loadPipeline } from "../../library/pipeline.ts";
import { MACHINE } from "../../settings/common.ts";
import { noDownloads } from "../trainings/check.ts";
import type { DrawnPair, DrawWish } from "./messages.ts";

/** Pictures of one prompt and the same noises, by the starting model and by what the run has chosen. One model is loaded at a time: two may not fit. */
export async function drawPairs(run: string, wish: DrawWish): Promise<readonly DrawnPair[]> {
  const { model, guidance } = await findSource({ adapter: run }, noDownloads);
  const draw = async (source: { readonly model: string } | { readonly adapter: string }): Promise<Uint8Array[]> => {
    const pipeline = await loadPipeline(source);
    try {
      const { prompt, seed, count } = wish;
      const drawn = await pipeline.generate({ prompt, seed, count, guidance });
      return await Promise.all(drawn.map((each) => each.toPng()));
    } finally {
      await pipeline.release();
    }
  };
  const [start, chosen] = [await draw({ model }), await draw({ adapter: run })];
  return start.map((picture, i) => ({ seed: wish.seed + i, start: picture, chosen: chosen[i] }));
}

/** Writes the chosen LoRA as ComfyUI, A1111 and Forge read it. @returns the file */
export async function exportKohya(run: string, output: string): Promise<string> {
  const source = await findSource({ adapter: run }, noDownloads);
  const settings = {
    ...source,
    source: run,
    output,
    format: "kohya",
    dtype: "F16",
    threads: MACHINE.threads.default,
  } as const;
  return (await runTask("export", settings, {})).output;
}
