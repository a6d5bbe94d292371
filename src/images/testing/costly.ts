/** Small files that cost a decoder minutes or gigabytes, each made of what the format allows. */
import { deflateSync } from "node:zlib";
import sharp from "sharp";

/** A JPEG of black that refines its pixels `scans` times more, with a few bytes each. */
export function progressiveJpeg(side: number, scans: number): Buffer {
  const marker = (code: number, content: readonly number[] | Buffer) =>
    Buffer.concat([Buffer.from([0xff, code, 0, content.length + 2]), Buffer.from(content)]);
  const blocks = Math.ceil(side / 8) ** 2;
  const sizes = [side >> 8, side & 255, side >> 8, side & 255];
  // the codes: "0" for a DC difference of 0, and for a run of up to 32767 empty blocks, whose length follows in 14 bits
  const codes = (table: number, symbol: number) => [table, 1, ...new Array<number>(15).fill(0), symbol];
  const runs = Array.from({ length: Math.ceil(blocks / 32767) }, () => `0${"1".repeat(14)}`).join("");
  const bits = runs.padEnd(Math.ceil(runs.length / 8) * 8, "1");
  const data = (bits.match(/.{8}/g) ?? []).flatMap((byte) => (byte === "11111111" ? [255, 0] : [parseInt(byte, 2)]));
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    marker(0xdb, [0, ...new Array<number>(64).fill(1)]),
    marker(0xc2, [8, ...sizes, 1, 1, 0x11, 0]),
    marker(0xc4, codes(0x00, 0)),
    marker(0xc4, codes(0x10, 0xe0)),
    marker(0xda, [1, 1, 0, 0, 0, 0]),
    Buffer.alloc(Math.ceil(blocks / 8)),
    ...new Array<Buffer>(scans).fill(Buffer.concat([marker(0xda, [1, 1, 0, 1, 63, 0]), Buffer.from(data)])),
    Buffer.from([0xff, 0xd9]),
  ]);
}

/** `png` with texts that unpack to 7.9 MB each. */
export function pngWithTexts(png: Buffer, texts: number): Buffer {
  const packed = deflateSync(Buffer.alloc(7.9e6, "a"));
  const content = Buffer.concat([Buffer.from("zTXtkey\0\0"), packed]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(packed.length + 5, 0);
  ends.writeUInt32BE(crc32Of(content), 4);
  const chunk = Buffer.concat([ends.subarray(0, 4), content, ends.subarray(4)]);
  // behind the header, which is always 13 bytes long
  return Buffer.concat([png.subarray(0, 33), ...new Array<Buffer>(texts).fill(chunk), png.subarray(33)]);
}

/** A WebP that is a film of `frames` equal frames, turned by its EXIF data. */
export async function webpFilm(frame: Buffer, frames: number, exif: Buffer): Promise<Buffer> {
  const chunk = (type: string, content: Buffer) => {
    const head = Buffer.alloc(8);
    head.write(type, "latin1");
    head.writeUInt32LE(content.length, 4);
    return Buffer.concat([head, content, Buffer.alloc(content.length % 2)]);
  };
  const { width, height } = await sharp(frame).metadata();
  const size = Buffer.alloc(6);
  size.writeUIntLE(width - 1, 0, 3);
  size.writeUIntLE(height - 1, 3, 3);
  const film = chunk("ANMF", Buffer.concat([Buffer.alloc(6), size, Buffer.alloc(4), frame.subarray(12)]));
  const body = Buffer.concat([
    Buffer.from("WEBP"),
    chunk("VP8X", Buffer.concat([Buffer.from([0x0a, 0, 0, 0]), size])),
    chunk("ANIM", Buffer.alloc(6)),
    ...new Array<Buffer>(frames).fill(film),
    chunk("EXIF", exif),
  ]);
  const riff = Buffer.alloc(8);
  riff.write("RIFF");
  riff.writeUInt32LE(body.length, 4);
  return Buffer.concat([riff, body]);
}

/** A GIF that is a film of one pixel. */
export function gifFilm(frames: number): Buffer {
  const frame = [0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x4c, 1, 0];
  const head = [1, 0, 1, 0, 0x80, 0, 0, 255, 0, 0, 0, 0, 255];
  return Buffer.concat([
    Buffer.from("GIF89a"),
    Buffer.from(head),
    ...new Array<Buffer>(frames).fill(Buffer.from(frame)),
    Buffer.from([0x3b]),
  ]);
}

/** A TIFF of one grey pixel, again and again. */
export function tiffOfPages(pages: number): Buffer {
  const entries: [tag: number, value: number][] = [
    [256, 1],
    [257, 1],
    [258, 8],
    [259, 1],
    [262, 1],
    [273, 8],
    [277, 1],
    [278, 1],
    [279, 1],
  ];
  const size = 2 + 12 * entries.length + 4;
  const bytes = Buffer.alloc(9 + pages * size);
  bytes.write("II*\0\x09", "latin1");
  bytes[8] = 77;
  for (let page = 0; page < pages; page++) {
    const at = 9 + page * size;
    bytes.writeUInt16LE(entries.length, at);
    for (const [i, [tag, value]] of entries.entries()) {
      bytes.writeUInt16LE(tag, at + 2 + 12 * i);
      bytes.writeUInt16LE(4, at + 4 + 12 * i);
      bytes.writeUInt32LE(1, at + 6 + 12 * i);
      bytes.writeUInt32LE(value, at + 10 + 12 * i);
    }
    if (page + 1 < pages) bytes.writeUInt32LE(at + size, at + size - 4);
  }
  return bytes;
}

/** An AVIF of 64 x 64 that is a grid of the same picture of side x side, over and over. */
export async function avifGrid(side: number, rows: number): Promise<Buffer> {
  const avif = await sharp({ create: { width: side, height: side, channels: 3, background: "red" } })
    .avif({ effort: 0 })
    .toBuffer();
  const u16 = (x: number) => Buffer.from([x >> 8, x & 255]);
  const u32 = (x: number) => Buffer.concat([u16(x >>> 16), u16(x & 0xffff)]);
  const box = (type: string, ...content: Buffer[]) => {
    const inside = Buffer.concat(content);
    return Buffer.concat([u32(inside.length + 8), Buffer.from(type), inside]);
  };
  const full = (type: string, version: number, ...content: Buffer[]) =>
    box(type, Buffer.from([version, 0, 0, 0]), ...content);
  const boxes = (from: number, to: number) => {
    const found = new Map<string, Buffer>();
    for (let at = from; at < to; at += avif.readUInt32BE(at))
      found.set(avif.toString("latin1", at + 4, at + 8), avif.subarray(at, at + avif.readUInt32BE(at)));
    return found;
  };
  const within = (inside: Buffer | undefined, header: number) => {
    if (inside === undefined) throw new Error("the encoder writes other boxes");
    const from = inside.byteOffset - avif.byteOffset;
    return boxes(from + header, from + inside.length);
  };
  const top = boxes(0, avif.length);
  const meta = within(top.get("meta"), 12);
  const properties = [...within(within(meta.get("iprp"), 8).get("ipco"), 8)];
  const data = top.get("mdat")?.subarray(8) ?? Buffer.alloc(0);
  const tiles = rows ** 2;
  const grid = Buffer.concat([Buffer.from([0, 0, rows - 1, rows - 1]), u16(64), u16(64)]);
  const essential = properties.map(([type], i) => (type === "av1C" ? 0x80 : 0) | (i + 1));
  const association = (item: number, list: number[]) => Buffer.concat([u16(item), Buffer.from([list.length, ...list])]);
  const ftyp = top.get("ftyp") ?? Buffer.alloc(0);
  const written = (offset: number) =>
    full(
      "meta",
      0,
      meta.get("hdlr") ?? Buffer.alloc(0),
      full("pitm", 0, u16(2)),
      full(
        "iloc",
        1,
        Buffer.from([0x44, 0]),
        u16(2),
        ...[u16(1), u16(0), u16(0), u16(1), u32(offset), u32(data.length)],
        ...[u16(2), u16(1), u16(0), u16(1), u32(0), u32(grid.length)],
      ),
      full(
        "iinf",
        0,
        u16(2),
        full("infe", 2, u16(1), u16(0), Buffer.from("av01\0")),
        full("infe", 2, u16(2), u16(0), Buffer.from("grid\0")),
      ),
      full("iref", 0, box("dimg", u16(2), u16(tiles), ...new Array<Buffer>(tiles).fill(u16(1)))),
      box(
        "iprp",
        box("ipco", ...properties.map(([, property]) => property), full("ispe", 0, u32(64), u32(64))),
        full("ipma", 0, u32(2), association(1, essential), association(2, [properties.length + 1])),
      ),
      box("idat", grid),
    );
  return Buffer.concat([ftyp, written(ftyp.length + written(0).length + 8), box("mdat", data)]);
}

/** CRC-32 as PNG has it; Node's own came with version 20.15. */
function crc32Of(bytes: Buffer): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) * 0xedb88320);
  }
  return ~crc >>> 0;
}
