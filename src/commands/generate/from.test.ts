import { copyFile, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { fingerprint } from "../../checkpoints/hashes.ts";
import { withTexts } from "../../images/png-text.ts";
import { encodePng, writePng } from "../../images/write.ts";
import { mergeFrom } from "./from.ts";
import { differences, RECORD_KEY } from "./record.ts";
import type { PictureRecord } from "./record-schema.ts";

const hash = "0".repeat(64);
const imageOf = (level: number) => ({ width: 16, height: 16, data: new Uint8Array(3 * 256).map((_, i) => i * level) });
let folder = "";
let photo = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rpo-photo-"));
  photo = join(folder, "room.png");
  await writePng(photo, imageOf(7));
});

/** A picture that says that it was drawn with the photo, as it is now. */
async function drawn(): Promise<{ readonly picture: string; readonly record: PictureRecord }> {
  const record: PictureRecord = {
    ...{ version: "1", prompt: "a dog", seed: 3, sampler: "dpm", steps: 2, guidance: 4, height: 64, width: 64 },
    model: { name: "tiny", hash },
    adapter: { name: "dog-1-000080", hash },
    photo: {
      ...{ name: "room.png", hash: await fingerprint(photo), weight: 1, textWeight: 0.5 },
      encoder: { name: "tiny", hash },
    },
    ...{ loras: [], embeddings: [] },
    machine: { threads: 2, engine: "ONNX Runtime 1", platform: "linux x64" },
    batch: { pictures: [{ prompt: "a dog", seed: 3 }], at: 0 },
  };
  const picture = join(folder, "3.png");
  await writeFile(picture, withTexts(await encodePng(imageOf(5)), [[RECORD_KEY, JSON.stringify(record)]]));
  return { picture, record };
}

describe("a picture that was drawn with a photo", () => {
  test("is the same where its photo lies elsewhere now, and another with another photo", async () => {
    const { picture, record } = await drawn();
    const moved = join(folder, "moved.png");
    await copyFile(photo, moved);
    const given = { from: picture, adapter: folder, output: "out" };
    const { settings, redraw } = await mergeFrom({ ...given, photo: moved });
    expect([settings.photo, settings.textWeight, redraw]).toEqual([moved, 0.5, record.batch]);
    await writePng(moved, imageOf(11));
    expect((await mergeFrom({ ...given, photo: moved })).redraw).toBeUndefined();
  });

  test("is said to be another where the photo of that name has changed", async () => {
    const { record } = await drawn();
    const actual = { ...record, photo: record.photo && { ...record.photo, hash } };
    expect(differences(record, actual)).toEqual([
      "room.png: another file than that of this name which the picture was drawn with; it will be another",
    ]);
    const other = { ...record, photo: record.photo && { ...record.photo, hash, name: "garden.png" } };
    expect(differences(record, other)).toEqual([
      "garden.png: not room.png as the picture was drawn with; it will be another",
    ]);
  });
});
