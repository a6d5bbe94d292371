import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { describe, expect, test } from "vitest";
import { mirrored } from "../images/mirror.ts";
import { blankImage } from "../images/image.ts";
import { float32 } from "../tensor/tensor.ts";
import { joined } from "./batches.ts";
import { squareCutting } from "./cutting.ts";
import { captionPrompt, readCaptions } from "./captions.ts";
import { latentWeights } from "./masks.ts";
import { readOwnData } from "./own-data.ts";
import { listPhotos, readPhotos } from "./photos.ts";

const words = { token: "[V]", class: "dog" };

test.each([
  ["a {token} {class} on a couch", "a [V] dog on a couch"],
  ["a [V] dog on a couch", "a [V] dog on a couch"],
  ["a Dog on a couch, dogs behind", "a [V] Dog on a couch, dogs behind"],
  ["lying on a couch", "[V] dog, lying on a couch"],
])("the identifier is in the caption %s where it belongs", (caption, prompt) => {
  expect(captionPrompt(caption, words)).toBe(prompt);
});

/** Photos of 8 x 8 pixels, the second with a caption, the third half transparent. */
async function photos(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rpo-own-"));
  const of = (name: string, image: Sharp) => image.png().toFile(join(folder, name));
  const plain = (r: number) => sharp({ create: { width: 8, height: 8, channels: 3, background: { r, g: 90, b: 20 } } });
  await of("a.png", plain(10));
  await of("b.png", plain(200));
  const half = Buffer.from('<svg width="8" height="8"><rect width="4" height="8" fill="#0f0"/></svg>');
  await of("c.png", sharp(half));
  const left = Buffer.from(
    '<svg width="8" height="8"><rect width="8" height="8"/><rect width="4" height="8" fill="#fff"/></svg>',
  );
  await of("a.mask.png", sharp(left).flatten());
  await writeFile(join(folder, "b.txt"), "a dog\n  asleep\n");
  return folder;
}

test("masks are no photos, and are found beside them or in them; captions likewise", async () => {
  const images = await photos();
  expect((await listPhotos({ images, holdOut: undefined })).map((path) => path.slice(-5))).toEqual([
    "a.png",
    "b.png",
    "c.png",
  ]);
  const read = await readPhotos({ images, holdOut: undefined });
  const settings = { images, ...words, captions: "auto", maskedLoss: true } as const;
  const { captions, masks, files } = await readOwnData(read, settings);
  expect(captions.map((each) => each?.text)).toEqual([undefined, "a [V] dog asleep", undefined]);
  expect(masks.map((each) => each?.path.slice(images.length + 1))).toEqual(["a.mask.png", undefined, "c.png"]);
  expect(files).toHaveLength(3);
  const off = await readOwnData(read, { ...settings, captions: "off", maskedLoss: false });
  expect([off.captions, off.masks, off.files]).toEqual([[undefined, undefined, undefined], [], []]);
});

describe("what is wrong is named:", () => {
  test("a photo without a caption where each is to have one, an empty caption", async () => {
    const images = await photos();
    const paths = ["a.png", "b.png"].map((name) => join(images, name));
    await expect(readCaptions(paths, { ...words, captions: "on" })).rejects.toThrow(/a\.png has none/);
    await writeFile(join(images, "a.txt"), " \n");
    await expect(readCaptions(paths, { ...words, captions: "on" })).rejects.toThrow(/a\.txt: the caption is empty/);
  });
  test.each(["{tokn}", "{ class }", "{Token}", "{}", "{köter}"])(
    "a caption's %s, which nothing fills in",
    async (word) => {
      const images = await photos();
      await writeFile(join(images, "b.txt"), `a ${word} of {token} {class}`);
      await expect(readCaptions([join(images, "b.png")], { ...words, captions: "auto" })).rejects.toThrow(
        `b.txt: there is no ${word}, only {token} for the identifier and {class} for the class word`,
      );
      const begun = await readCaptions([join(images, "b.png")], { ...words, captions: "auto" }, { isBegun: true });
      expect(begun[0]?.text).toContain(word);
    },
  );
  test("no mask at all, a black one, one of another size", async () => {
    const images = await photos();
    const [first, second] = await readPhotos({ images, holdOut: undefined });
    const settings = { images, ...words, captions: "off", maskedLoss: true } as const;
    await expect(readOwnData([second], settings)).rejects.toThrow("no photo in");
    const mask = join(images, "a.mask.png");
    const black = (width: number) => sharp({ create: { width, height: 8, channels: 3, background: "#000" } }).png();
    await black(8).toFile(mask);
    await expect(readOwnData([first], settings)).rejects.toThrow("black all over");
    await black(9).toFile(mask);
    await expect(readOwnData([first], settings)).rejects.toThrow("9 x 8 pixels, expected 8 x 8");
  });
});

test("a latent counts as much as its pixels of the mask do on average, the rest as much as is said", () => {
  const mask = blankImage({ width: 4, height: 4 });
  // white: the left half, and one pixel more
  for (const [x, y] of [...[0, 1].flatMap((x) => [0, 1, 2, 3].map((y) => [x, y] as const)), [2, 0] as const])
    mask.data.fill(255, 3 * (4 * y + x), 3 * (4 * y + x) + 3);
  const cutting = squareCutting({ crop: "center", resolution: 4 });
  expect([...latentWeights(mask, 2, { cutting, maskOutside: 0 }).data]).toEqual([1, 0.25, 1, 0]);
  expect([...latentWeights(mask, 2, { cutting, maskOutside: 0.5 }).data]).toEqual([1, 0.625, 1, 0.5]);
});

test("a mirrored picture is the picture from right to left", () => {
  const image = { width: 2, height: 2, data: Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]) };
  expect([...mirrored(image).data]).toEqual([4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9]);
  expect(mirrored(mirrored(image))).toEqual(image);
});

test("inputs of one picture each lie one below the other in a batch", () => {
  const feeds = [1, 2].map((x) => ({
    label: float32([x]),
    "ref.noisy": float32([x, x + 1, x + 2, x + 3], [1, 1, 2, 2]),
  }));
  expect(joined(feeds)).toEqual({
    label: float32([1, 2]),
    "ref.noisy": float32([1, 2, 3, 4, 2, 3, 4, 5], [2, 1, 2, 2]),
  });
});
