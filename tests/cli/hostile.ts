import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { openSafetensors } from "../../src/tensor/safetensors.ts";
import { sizeOf } from "../../src/tensor/tensor.ts";
import { makePhotos, MODEL, REWARD, temporaryFolder } from "../run/cli.ts";

/** Damaged models and photos, each made from a good one by one change. */

/** A copy of the tiny Stable Diffusion folder, changed. */
export async function damagedModel(change: (folder: string) => Promise<void>): Promise<string> {
  return changedCopy(MODEL, change);
}

/** A copy of the tiny ALIGN folder, changed. */
export async function damagedReward(change: (folder: string) => Promise<void>): Promise<string> {
  return changedCopy(REWARD, change);
}

/** A copy of a folder, changed. */
export async function changedCopy(source: string, change: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(await temporaryFolder(), "copy");
  await cp(source, folder, { recursive: true });
  await change(folder);
  return folder;
}

export const UNET = "unet/diffusion_pytorch_model.safetensors";

/** Changes entries of a JSON file in a folder. */
export function changedJson(file: string, entries: Readonly<Record<string, unknown>>) {
  return async (folder: string): Promise<void> => {
    const path = join(folder, file);
    const json = JSON.parse(await readFile(path, "utf8")) as object;
    await writeFile(path, JSON.stringify({ ...json, ...entries }));
  };
}

/** Puts other bytes in a file's place. */
export function replaced(file: string, content: string | Uint8Array) {
  return (folder: string): Promise<void> => writeFile(join(folder, file), content);
}

/** Cuts a file to a part of its length. */
export function cut(file: string, part: number) {
  return async (folder: string): Promise<void> => {
    const bytes = await readFile(join(folder, file));
    await writeFile(join(folder, file), bytes.subarray(0, Math.floor(bytes.length * part)));
  };
}

/** Makes every weight of a file a float32 of four equal bytes: 0 for zeros, 0x71 for 1e30, 0xff for NaN. */
export function filled(file: string, byte: number) {
  return async (folder: string): Promise<void> => {
    const { tensors } = await openSafetensors(join(folder, file));
    let end = 0;
    const entries = [...tensors].map(([name, { shape }]) => {
      const start = end;
      end += 4 * sizeOf(shape);
      return [name, { dtype: "F32", shape, data_offsets: [start, end] }] as const;
    });
    const header = JSON.stringify(Object.fromEntries(entries));
    await writeFile(join(folder, file), safetensors(header, Buffer.alloc(end, byte)));
  };
}

/** Puts a pickle where safetensors were. */
export function pickled(file: string, name: string) {
  return async (folder: string): Promise<void> => {
    await rm(join(folder, file));
    await writeFile(join(folder, file, "..", name), Buffer.from([0x80, 2, 0x2e]));
  };
}

/** Changes the header of a safetensors file, and leaves its data as they are. */
export function changedHeader(file: string, change: (header: Record<string, Record<string, unknown>>) => void) {
  return async (folder: string): Promise<void> => {
    const bytes = await readFile(join(folder, file));
    const length = Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<string, Record<string, unknown>>;
    change(header);
    await writeFile(join(folder, file), safetensors(JSON.stringify(header), bytes.subarray(8 + length)));
  };
}

/** The bytes of a safetensors file with this header, or with a header that only says how long it is. */
export function safetensors(header: string, data: Uint8Array = new Uint8Array(), length?: bigint): Buffer {
  const json = Buffer.from(header);
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(length ?? BigInt(json.length), 0);
  return Buffer.concat([start, json, data]);
}

/** A folder of good photos and one more file. */
export async function photosWith(name: string, content: string | Uint8Array): Promise<string> {
  const folder = await makePhotos(2);
  await writeFile(join(folder, name), content);
  return folder;
}

/** The first half of a JPEG. */
export async function truncatedPhoto(): Promise<Buffer> {
  const noise = { type: "gaussian", mean: 128, sigma: 40 } as const;
  const whole = await sharp({ create: { width: 64, height: 64, channels: 3, background: "black", noise } })
    .jpeg()
    .toBuffer();
  return whole.subarray(0, whole.length / 2);
}

/** A picture of 20000 x 20000 pixels, as its header says. */
export async function hugePhoto(): Promise<Buffer> {
  const bytes = await sharp({ create: { width: 8, height: 8, channels: 3, background: "black" } })
    .jpeg()
    .toBuffer();
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0])); // SOF0: marker, length (2), depth (1), height (2), width (2)
  bytes.writeUInt16BE(20_000, frame + 5);
  bytes.writeUInt16BE(20_000, frame + 7);
  return bytes;
}

export async function emptyFolder(): Promise<string> {
  const folder = join(await temporaryFolder(), "empty");
  await mkdir(folder);
  return folder;
}
