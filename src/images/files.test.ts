import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UsageError } from "../system/errors.ts";
import type { Image } from "./image.ts";
import { listImages } from "./folder.ts";
import { readImage } from "./read.ts";
import { writePng } from "./write.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rpo-photos-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Four quarters: red, green / blue, grey. */
const side = 32;
const corners = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [128, 128, 128],
];
const quarters: Image = {
  width: side,
  height: side,
  data: Uint8Array.from({ length: side * side * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % side, Math.floor(i / 3 / side)];
    return corners[(y < side / 2 ? 0 : 2) + (x < side / 2 ? 0 : 1)][i % 3];
  }),
};
const raw = () => sharp(quarters.data, { raw: { width: side, height: side, channels: 3 } });
const save = async (name: string, content: Buffer | string): Promise<string> => {
  await writeFile(join(folder, name), content);
  return join(folder, name);
};
/** The colours well inside the four quarters. */
const quarterColours = ({ width, data }: Image): number[][] =>
  [0.25, 0.75].flatMap((v) =>
    [0.25, 0.75].map((u) => [...data.subarray((v * side * width + u * side) * 3).subarray(0, 3)]),
  );
const worst = (a: number[][], b: number[][]): number =>
  Math.max(...a.flatMap((colour, i) => colour.map((value, channel) => Math.abs(value - b[i][channel]))));

describe("readImage", () => {
  for (const format of ["jpeg", "png", "webp", "avif", "tiff", "gif"] as const)
    it(`reads ${format}`, async () => {
      const image = await readImage(await save(`quarters.${format}`, await raw().toFormat(format).toBuffer()));
      expect([image.width, image.height, image.data.length]).toEqual([side, side, side * side * 3]);
      expect(worst(quarterColours(image), corners)).toBeLessThan(6);
    });

  it("reads again what was rewritten since", async () => {
    const path = await save("rewritten.webp", await raw().webp({ lossless: true }).toBuffer());
    await readImage(path);
    await save("rewritten.webp", await raw().negate().webp({ lossless: true }).toBuffer());
    expect(quarterColours(await readImage(path))[0]).toEqual([0, 255, 255]);
  });

  it("applies EXIF orientation: 6 means that the first row is the picture's right side", async () => {
    const jpeg = await raw().withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toBuffer();
    const [red, green, blue, grey] = corners;
    expect(
      worst(quarterColours(await readImage(await save("turned.jpg", jpeg))), [blue, red, grey, green]),
    ).toBeLessThan(6);
  });

  it("puts transparency on white", async () => {
    const rgba = await sharp({
      create: { width: 4, height: 4, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0.5 } },
    })
      .png()
      .toBuffer();
    const image = await readImage(await save("alpha.png", rgba));
    expect(image.data).toHaveLength(48);
    expect([...new Set(image.data)]).toEqual([127]);
  });

  it("gives grey pictures three equal channels, 16-bit ones their high byte", async () => {
    const grey = await raw().greyscale().png().toBuffer();
    const values = Uint16Array.from({ length: 16 }, (_, i) => i * 4096 + 77);
    const deep = await sharp(values, { raw: { width: 4, height: 4, channels: 1 } })
      .toColourspace("grey16")
      .png()
      .toBuffer();
    for (const colour of quarterColours(await readImage(await save("grey.png", grey))))
      expect(new Set(colour).size).toBe(1);
    const image = await readImage(await save("deep.png", deep));
    expect([...image.data]).toEqual([...values].flatMap((value) => [value >> 8, value >> 8, value >> 8]));
  });

  it("reads CMYK in its right colours", async () => {
    const image = await readImage(
      await save("cmyk.jpg", await raw().toColourspace("cmyk").jpeg({ quality: 95 }).toBuffer()),
    );
    // Printing inks reach no pure colours, but keep the hues.
    const [red, green, blue] = quarterColours(image);
    expect([red, green, blue].map((colour) => colour.indexOf(Math.max(...colour)))).toEqual([0, 1, 2]);
  });

  for (const format of ["jpeg", "png", "webp", "avif", "tiff", "gif"] as const)
    it(`refuses half a ${format}, naming the file`, async () => {
      const noise = Buffer.from(Uint8Array.from({ length: side * side * 3 }, (_, i) => (i * i * 31) % 251));
      const whole = await sharp(noise, { raw: { width: side, height: side, channels: 3 } })
        .toFormat(format)
        .toBuffer();
      const path = await save(`half.${format}`, whole.subarray(0, whole.length >> 1));
      await expect(readImage(path)).rejects.toThrow(UsageError);
      await expect(readImage(path)).rejects.toThrow(`${path}: `);
    });

  it("refuses text, empty files, folders and missing files, naming them and the reason", async () => {
    const refused: [string, RegExp][] = [
      [await save("text.jpg", "hello\n"), /text\.jpg: not a picture that can be read/],
      [await save("empty.jpg", ""), /empty\.jpg: the file is empty/],
      [folder, /: expected a picture, but it is a folder/],
      [join(folder, "missing.jpg"), /missing\.jpg: no such file/],
    ];
    for (const [path, message] of refused) {
      await expect(readImage(path)).rejects.toThrow(UsageError);
      await expect(readImage(path)).rejects.toThrow(message);
    }
  });

  it("refuses a photo of 20000 x 20000 from its header, within a second", async () => {
    // A JPEG's header with these sizes, and no pixels behind it.
    const jpeg = await raw().jpeg().toBuffer();
    const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
    jpeg.writeUInt16BE(20000, frame + 5);
    jpeg.writeUInt16BE(20000, frame + 7);
    const path = await save("huge.jpg", jpeg);
    const start = performance.now();
    await expect(readImage(path)).rejects.toThrow(/huge\.jpg: 20000 x 20000 pixels .* limit is 100 megapixels/);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe("listImages", () => {
  it("lists pictures by name, leaving out other files, hidden ones and folders", async () => {
    const photos = join(folder, "photos");
    await mkdir(join(photos, "sub.png"), { recursive: true });
    for (const name of ["b.JPG", "a.png", "10.webp", "9.webp", "notes.txt", ".hidden.png"])
      await writeFile(join(photos, name), "x");
    expect(await listImages(photos)).toEqual(["10.webp", "9.webp", "a.png", "b.JPG"].map((name) => join(photos, name)));
  });

  it("refuses a missing folder, an empty one and a file", async () => {
    await mkdir(join(folder, "nothing"));
    await expect(listImages(join(folder, "absent"))).rejects.toThrow(/absent: no such folder/);
    await expect(listImages(join(folder, "nothing"))).rejects.toThrow(/nothing: no pictures in it/);
    await expect(listImages(await save("file", "x"))).rejects.toThrow(UsageError);
  });
});

describe("writePng", () => {
  it("writes what readImage reads, the same bytes each time, and leaves nothing else behind", async () => {
    const out = join(folder, "out");
    await mkdir(out);
    await writePng(join(out, "a.png"), quarters);
    await writePng(join(out, "b.png"), quarters);
    expect(await readImage(join(out, "a.png"))).toEqual(quarters);
    expect(await readFile(join(out, "a.png"))).toEqual(await readFile(join(out, "b.png")));
    expect(await readdir(out)).toEqual(["a.png", "b.png"]);
  });
});
