import { createHash } from "node:crypto";
import { deflateRawSync } from "node:zlib";

export interface MadeWheel {
  readonly name: string;
  readonly version: string;
  /** "win_amd64" */
  readonly tag?: string;
  /** Files by their paths in the wheel. */
  readonly files: Readonly<Record<string, Buffer>>;
  readonly requires?: readonly string[];
  /** What RECORD says of a file, instead of its hash. */
  readonly recorded?: Readonly<Record<string, string>>;
}

/** "nvidia_cublas-13.1.0-py3-none-any.whl" */
export function wheelFile({ name, version, tag = "test_tag" }: MadeWheel): string {
  return `${name.replaceAll("-", "_")}-${version}-py3-none-${tag}.whl`;
}

/** What a package has besides its own files: METADATA and RECORD. */
export function describe(wheel: MadeWheel): Record<string, Buffer> {
  const { name, version, files, requires = [], recorded = {} } = wheel;
  const info = `${name.replaceAll("-", "_")}-${version}.dist-info`;
  const all: Record<string, Buffer> = {
    ...files,
    [`${info}/METADATA`]: Buffer.from(
      [
        "Metadata-Version: 2.4",
        `Name: ${name}`,
        `Version: ${version}`,
        "License: MIT",
        ...requires.map((line) => `Requires-Dist: ${line}`),
        "",
        "Text",
      ].join("\n"),
    ),
    [`${info}/licenses/License.txt`]: Buffer.from("You may."),
  };
  const lines = Object.entries(all).map(
    ([path, bytes]) =>
      `${path},sha256=${recorded[path] ?? createHash("sha256").update(bytes).digest("base64url")},${bytes.length}`,
  );
  return { ...all, [`${info}/RECORD`]: Buffer.from(`${lines.join("\n")}\n${info}/RECORD,,\n`) };
}

/** A wheel's bytes: a zip file, its texts packed and its libraries as they are. */
export function makeWheel(wheel: MadeWheel): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [path, bytes] of Object.entries(describe(wheel))) {
    const packed = deflateRawSync(bytes);
    const name = Buffer.from(path);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(8, 4); // deflated
    fields.writeUInt32LE(crc32(bytes), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(bytes.length, 18);
    fields.writeUInt16LE(name.length, 22);
    parts.push(Buffer.from("PK\x03\x04", "latin1"), fields, name, packed);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    directory.push(Buffer.from("PK\x01\x02\x14\x00", "latin1"), fields, place, name);
    at += 4 + fields.length + name.length + packed.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(directory.length / 4, 8);
  end.writeUInt16LE(directory.length / 4, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, list, end]);
}

function crc32(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
