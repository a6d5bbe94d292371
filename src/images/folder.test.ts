import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { say, setting, textOf } from "../system/message.ts";
import { listImages, unreadNote } from "./folder.ts";

const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0]);
const HEIC = Buffer.from("\0\0\0\x18ftypheic\0\0\0\0mif1heic", "latin1");

async function folderOf(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const folder = join(await mkdtemp(join(tmpdir(), "rpo-folder-")), "photos");
  await mkdir(folder);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

const names = async (folder: string) => (await listImages(folder)).map((path) => path.slice(folder.length + 1));

test("other names of JPEGs are read, and a JPEG that is called HEIC", async () => {
  const folder = await folderOf({ "a.jfif": JPEG, "b.JPE": JPEG, "c.jif": JPEG, "d.heic": JPEG, "e.HEIC": HEIC });
  expect(await names(folder)).toEqual(["a.jfif", "b.JPE", "c.jif", "d.heic"]);
});

test("what is not read is named with what it is, once", async () => {
  const folder = await folderOf({
    ...{
      "a.jpg": JPEG,
      "a.txt": "a dog",
      "b.HEIC": HEIC,
      "c.bmp": "BM....",
      "d.jxl": Buffer.from([0xff, 0x0a]),
      e: JPEG,
    },
    ...{
      "f.NEF": "II*\0",
      ".DS_Store": "",
      "._a.jpg": "x",
      "Thumbs.db": "x",
      "prompts.json": "{}",
      "10_sks dog/1.jpg": JPEG,
    },
  });
  expect(textOf((await unreadNote(folder)) ?? "")).toBe(
    `not read of ${folder}: b.HEIC (an HEIC picture; save it as a JPEG), c.bmp (a BMP picture; save it as a PNG), ` +
      "d.jxl (a JPEG XL picture; save it as a JPEG or PNG), e (a JPEG by its content; give it the extension .jpeg), " +
      "f.NEF (a camera's raw picture; save it as a JPEG), a.txt, a caption, a picture in its folder 10_sks dog",
  );
  expect(await unreadNote(await folderOf({ "a.jpg": JPEG, ".DS_Store": "x", "desktop.ini": "x" }))).toBeUndefined();
  expect(await unreadNote(await folderOf({ "a.jpg": JPEG, "masks/a.png": JPEG }))).toBeUndefined();
});

test("where no picture is there, those that are near are named", async () => {
  const kohya = await folderOf({ "10_sks dog/1.jpg": JPEG, "10_sks dog/2.jpg": JPEG });
  await expect(listImages(kohya)).rejects.toThrow("; there: 2 pictures in its folder 10_sks dog");
  const below = await folderOf({ "1.jpg": JPEG, "log/x.txt": "" });
  await expect(listImages(join(below, "log"))).rejects.toThrow(`a picture in the folder above, ${below}`);
  await expect(listImages(await folderOf({ "1.HEIC": HEIC }))).rejects.toThrow("there: 1.HEIC (an HEIC picture");
});

test("how captions would be read names the setting, for whoever reads it to call it by its flag or name", async () => {
  const folder = await folderOf({ "a.jpg": JPEG, "a.txt": "x", "b.HEIC": "\0\0\0\x18ftypheic\0\0\0\0mif1heic" });
  const note = await unreadNote(folder, { hint: say`${setting("captions", "auto")} reads them` });
  expect(textOf(note ?? "", (name) => `--${name}`)).toMatch(
    /; save it as a JPEG\), a\.txt, a caption \(--captions auto reads them\)$/,
  );
});
