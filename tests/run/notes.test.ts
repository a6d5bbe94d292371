import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { makePhotos, MODEL, REWARD, rpo, temporaryFolder } from "./cli.ts";

/** What people should know before a training begins is said once, each in a line, and nothing else is. */

const FEW = ["--steps", "1", "--validation-images", "1", "--sampler-steps", "2", "--negatives", "1", "--threads", "1"];

async function notesOf(photos: string, className: string, ...more: string[]): Promise<string[]> {
  const output = join(await temporaryFolder(), "run");
  const args = ["--model", MODEL, "--reward", REWARD, "--images", photos, "--class", className, ...FEW, ...more];
  const { code, stderr } = await rpo(["train", ...args, "--output", output]);
  expect(code, stderr).toBe(0);
  return stderr.split("\n").filter((line) => /^(warning|note): /.test(line));
}

describe("a training of photos as people have them", () => {
  let notes: string[] = [];
  beforeAll(async () => {
    const photos = await makePhotos(2);
    await copyFile(join(photos, "0.jpg"), join(photos, "copy of 0.jpg"));
    const picture = (side: number, level: number) =>
      sharp({
        create: { width: side, height: side, channels: 3, background: { r: level, g: level, b: level } },
      }).jpeg();
    await picture(64, 128).toFile(join(photos, "blank.jpg"));
    await picture(8, 200).toFile(join(photos, "small.jpg"));
    await writeFile(join(photos, "0.txt"), "a caption");
    await writeFile(join(photos, "phone.HEIC"), "\0\0\0\x18ftypheic\0\0\0\0mif1heic", "latin1");
    await mkdir(join(photos, "masks"));
    await copyFile(join(photos, "0.jpg"), join(photos, "masks", "0.png"));
    const prompts = join(await temporaryFolder(), "prompts.txt");
    await writeFile(prompts, "a {token} {class} <lora:style:1>\na {class} in the snow\n");
    notes = await notesOf(photos, "a dog", "--prompts", prompts, "--subject", "live");
  }, 120_000);

  test.each<[string, RegExp]>([
    [
      "files that are not read",
      /not read of .*: phone\.HEIC \(an HEIC picture; save it as a JPEG\), 0\.txt, a caption \(--captions auto reads them\)$/,
    ],
    ["a photo that is there twice", /the same photo twice.*copy of 0\.jpg is 0\.jpg/],
    ["photos that are too small", /made larger to be trained on.*small\.jpg \(8 x 8\)/],
    ["a photo with nothing on it", /of one colour, with nothing on it to learn: blank\.jpg/],
    ["an article in the class", /the class "a dog" begins with "a": prompts read/],
    ["a prompt without the identifier", /without the identifier \[V\], and so not of the subject: ".* in the snow"/],
    ["what other programs read as a command", /"<lora:style:1>" in a prompt is read as words/],
    ["a setting that changes nothing", /--subject live changes nothing: it chooses between the default prompts/],
  ])("says %s, once", (_what, line) => {
    expect(notes.filter((note) => line.test(note))).toHaveLength(1);
  });

  test("says nothing of the folder that it knows", () => {
    expect(notes.join("\n")).not.toContain("masks");
  });
});

test("a training of good photos says which default prompts there are, and nothing else", async () => {
  const notes = await notesOf(await makePhotos(2), "dog");
  expect(notes).toEqual([
    expect.stringMatching(/"dog" gets the default prompts for a living subject; with --subject object/),
  ]);
});

test("captions that are read are looked at as prompts are", async () => {
  const photos = await makePhotos(2);
  await writeFile(join(photos, "0.txt"), "a dog, <lora:style:1>");
  const notes = await notesOf(photos, "dog", "--captions", "auto");
  expect(notes).toEqual([
    expect.stringContaining("default prompts"),
    expect.stringMatching(/"<lora:style:1>" in a prompt is read as words/),
  ]);
});
