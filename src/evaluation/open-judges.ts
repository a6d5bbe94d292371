import { basename } from "node:path";
import { openAlign, openClip, openDino, type ImageEncoderPart } from "../checkpoints/encoders.ts";
import { createFeatureEncoder, createImageEncoder, type ImageEncoder } from "../checkpoints/feature-encoder.ts";
import { fingerprint } from "../checkpoints/hashes.ts";
import type { Judge, Judges } from "./judges.ts";
import type { ImageProcessor } from "../images/processor.ts";
import type { PictureSource } from "../images/image-cache.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import { assemble } from "../runtime/resources.ts";
import type { WorkControl, WorkEvent } from "../system/work.ts";
import { droppedNote } from "../text/parts.ts";
import { JUDGE_NAMES, type JudgeFolders } from "./judge-names.ts";
import type { Message } from "../system/named-setting.ts";

export interface JudgesSettings extends Pick<SessionOptions, "threads" | "device" | "precision"> {
  readonly judges: JudgeFolders;
}

export type EvaluateEvent = WorkEvent<"loading" | "judging">;

/** Its signal is asked before every picture. */
export type EvaluateControl = WorkControl<EvaluateEvent>;

/** Which encoder judged, and how it saw the pictures. */
export interface JudgeRecord {
  readonly folder: string;
  /** Fingerprints of the weights' files. */
  readonly weights: Readonly<Record<string, string>>;
  readonly preprocessing: ImageProcessor;
}

/**
 * Opens the judges, who ask for each picture when its turn comes, and whose progress is told to `control`. They throw the reason of its signal when that is aborted.
 * @param looks how many pictures each judge will look at, and DINO besides; and the texts, of which a judge may not read all, which is said
 */
export async function openJudges(
  { judges: folders, threads, device, precision }: JudgesSettings,
  control: EvaluateControl,
  looks: { readonly each: number; readonly dino: number; readonly texts?: readonly string[] },
) {
  const session: SessionOptions = { threads, device, precision };
  const warn = (text: Message) => control.emit({ type: "warning", text });
  const { dino, clip, align } = folders;
  const parts = {
    dino: dino === undefined ? undefined : await openDino(dino, { warn }),
    clip: clip === undefined ? undefined : await openClip(clip, { warn }),
    align: align === undefined ? undefined : await openAlign(align, { warn }),
  };
  for (const name of ["clip", "align"] as const) {
    const tokenizer = parts[name]?.tokenizer;
    const dropped = tokenizer && droppedNote(tokenizer, looks.texts ?? [], name === "clip" ? "CLIP-T" : "ALIGN-T");
    if (dropped !== undefined) warn(dropped);
  }
  const judging = Object.values(parts).filter((part) => part !== undefined).length;
  const total = judging * looks.each + (parts.dino === undefined ? 0 : looks.dino);
  let done = 0;
  const counted = <E extends ImageEncoder>(encoder: E): Omit<E, "images"> & Judge<PictureSource> => ({
    ...encoder,
    async images(pictures: readonly PictureSource[]) {
      const features = [];
      for (const picture of pictures) {
        control.signal.throwIfAborted();
        features.push(...(await encoder.images([await picture()])));
        control.emit({ type: "progress", phase: "judging", done: ++done, total });
      }
      return features;
    },
  });
  const records: Record<string, JudgeRecord> = {};
  for (const name of JUDGE_NAMES) {
    const [part, folder] = [parts[name], folders[name]];
    if (part !== undefined && folder !== undefined) records[name] = await recordOf(folder, part);
  }
  return assemble(async (own, release) => {
    const judges = {
      dino: parts.dino && counted(own(await createImageEncoder(parts.dino, session))),
      clip: parts.clip && counted(own(await createFeatureEncoder(parts.clip, session))),
      align: parts.align && counted(own(await createFeatureEncoder(parts.align, session))),
    } satisfies Judges<PictureSource>;
    return { judges, records, release };
  });
}

async function recordOf(folder: string, { files, processor }: ImageEncoderPart<unknown>): Promise<JudgeRecord> {
  const weights: Record<string, string> = {};
  for (const { path } of files) weights[basename(path)] = await fingerprint(path);
  return { folder, weights, preprocessing: processor };
}
