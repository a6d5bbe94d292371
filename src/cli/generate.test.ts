import { copyFile, mkdtemp, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { writePng } from "../images/write.ts";
import { loadPipeline } from "../library/pipeline.ts";
import { generateCommand } from "./generate.ts";

let folder = "";
let photo = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rpo-photo-"));
  photo = join(folder, "room.png");
  await writePng(photo, { width: 16, height: 16, data: new Uint8Array(3 * 256).map((_, i) => i * 7) });
});

describe("a photo to draw with is read before a model is looked for:", () => {
  test.each([
    ["one that is cut short", "cut.png", /cut\.png: .*(damaged|truncated)/],
    ["a text", "text.png", /text\.png: not a picture/],
    ["one that is not there", "none.png", /photo .*none\.png: no such file/],
  ])("%s", async (_name, name, message) => {
    const path = join(folder, name);
    if (name === "cut.png") {
      await copyFile(photo, path);
      await truncate(path, 300);
    }
    if (name === "text.png") await writeFile(path, "no picture");
    const wanted = { photo: path, model: join(folder, "no-model"), output: join(folder, "out") };
    await expect(generateCommand({ ...wanted, prompt: ["a dog"] }, { json: false })).rejects.toThrow(message);
    await expect(loadPipeline({ photo: path, model: wanted.model })).rejects.toThrow(message);
  });
});
