import { extname } from "node:path";
import type { Random } from "../../src/tensor/random.ts";

/** Damage: one small change to a valid file, as broken disks, cut downloads, other programs and hostile people make it. */

export type Files = ReadonlyMap<string, Buffer>;

/** A case: which file was changed, how, and what is in it now. */
export interface Mutant {
  readonly path: string;
  readonly how: string;
  readonly bytes: Buffer;
}

/** One of the files, changed. @param strange contents of other kinds, by what they are */
export function mutate(files: Files, strange: Files, rng: Random): Mutant {
  const path = rng.choice([...files.keys()].sort());
  const bytes = files.get(path) ?? Buffer.alloc(0);
  const kinds = rng.integer(10) === 0 ? swaps(files, strange) : kindsFor(path);
  const [how, change] = rng.choice(kinds);
  return { path, how, bytes: change(bytes, rng) };
}

type Change = (bytes: Buffer, rng: Random) => Buffer;
type Kind = readonly [how: string, change: Change];

function kindsFor(path: string): readonly Kind[] {
  switch (extname(path)) {
    case ".json":
      return [...JSON_KINDS, ...JSON_KINDS, ...TEXT_KINDS, ...BYTE_KINDS];
    case ".jsonl":
      return [...LINE_KINDS, ...LINE_KINDS, ...TEXT_KINDS, ...BYTE_KINDS];
    case ".txt":
      return [...TEXT_KINDS, ...BYTE_KINDS];
    case ".safetensors":
      return [...HEADER_KINDS, ...BYTE_KINDS];
    default:
      return BYTE_KINDS;
  }
}

const at = (bytes: Buffer, rng: Random): number => rng.integer(Math.max(1, bytes.length));
const copied = (bytes: Buffer, change: (copy: Buffer) => void): Buffer => {
  const copy = Buffer.from(bytes);
  change(copy);
  return copy;
};

const BYTE_KINDS: readonly Kind[] = [
  [
    "bits flipped",
    (bytes, rng) =>
      copied(bytes, (copy) => {
        for (let n = 0; n <= rng.integer(4); n++) if (copy.length > 0) copy[at(copy, rng)] ^= 1 << rng.integer(8);
      }),
  ],
  ["cut short", (bytes, rng) => bytes.subarray(0, at(bytes, rng))],
  ["its end zeroed", (bytes, rng) => copied(bytes, (copy) => void copy.fill(0, at(copy, rng)))],
  ["empty", () => Buffer.alloc(0)],
  [
    "a part of it twice",
    (bytes, rng) => {
      const from = at(bytes, rng);
      const to = from + rng.integer(1 + bytes.length - from);
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
    },
  ],
  [
    "bytes overwritten",
    (bytes, rng) => copied(bytes, (copy) => void copy.fill(rng.integer(256), at(copy, rng), at(copy, rng))),
  ],
];

/** Numbers at and beyond what readers expect, as JSON has them; JSON.parse makes Infinity of 1e999. */
const EXTREMES =
  "0 -0 -1 1 2 3 0.5 -0.5 7.25 1e-320 1e-7 1.0000001 255 1000 1e5 1e6 1e9 2147483648 9007199254740993 1e21 1e50 1e308 -1e308 1e999 -1e999".split(
    " ",
  );
/** Values of other types. */
const OTHERS = [
  "null",
  "true",
  "false",
  '""',
  '"x"',
  '"1"',
  "[]",
  "{}",
  "[null]",
  "[[[[1]]]]",
  '{"a": {"b": 1}}',
  '"../../etc/passwd"',
  '"\\u0000\\u001b[2J"',
];

const TEXT_KINDS: readonly Kind[] = [
  [
    "a number replaced",
    (bytes, rng) => replaceToken(bytes, rng, /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, () => rng.choice(EXTREMES)),
  ],
  [
    "a word replaced",
    (bytes, rng) =>
      replaceToken(bytes, rng, /[A-Za-z_]{2,}/g, () =>
        rng.choice(["", "x", "__proto__", "constructor", "toString", "é", "\u0000", "{token}", "{class}"]),
      ),
  ],
  ["a line twice", (bytes, rng) => changeLines(bytes, (lines, i) => lines.splice(i, 0, lines[i]), rng)],
  ["a line gone", (bytes, rng) => changeLines(bytes, (lines, i) => lines.splice(i, 1), rng)],
  [
    "two lines swapped",
    (bytes, rng) => changeLines(bytes, (lines, i) => ([lines[0], lines[i]] = [lines[i], lines[0]]), rng),
  ],
  [
    "a huge line",
    (bytes, rng) =>
      changeLines(bytes, (lines, i) => (lines[i] = lines[i].repeat(Math.ceil(2e5 / (1 + lines[i].length)))), rng),
  ],
  ["in UTF-16", (bytes) => Buffer.from(`\uFEFF${bytes.toString()}`, "utf16le")],
];

function replaceToken(bytes: Buffer, rng: Random, pattern: RegExp, by: () => string): Buffer {
  const text = bytes.toString();
  const found = [...text.matchAll(pattern)];
  if (found.length === 0) return Buffer.from(`${text}1e999`);
  const { index, 0: token } = rng.choice(found);
  return Buffer.from(text.slice(0, index) + by() + text.slice(index + token.length));
}

function changeLines(bytes: Buffer, change: (lines: string[], i: number) => void, rng: Random): Buffer {
  const lines = bytes.toString().split("\n");
  change(lines, rng.integer(lines.length));
  return Buffer.from(lines.join("\n"));
}

/** Stands in a JSON value for a text that is put in its place. */
const MARK = "\u0001mutant\u0001";

/** Changes one value, wherever it is in a JSON text. */
function changeJson(
  text: string,
  rng: Random,
  change: (holder: Holder, key: string, put: (json: string) => void) => void,
): string {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return text;
  }
  const places = placesIn({ root });
  const [holder, key] = rng.choice(places);
  let raw = "null";
  change(holder as Holder, key, (json) => {
    raw = json;
    (holder as Holder)[key] = MARK;
  });
  const changed = (places[0][0] as Holder)["root"];
  return (JSON.stringify(changed, undefined, 1) ?? "").replace(JSON.stringify(MARK), () => raw);
}

type Holder = Record<string, unknown>;

function placesIn(value: object, found: [object, string][] = []): [object, string][] {
  for (const [key, inner] of Object.entries(value)) {
    // a vocabulary's entries are all alike
    if (found.length > 4000) break;
    found.push([value, key]);
    if (typeof inner === "object" && inner !== null) placesIn(inner as object, found);
  }
  return found;
}

const json =
  (change: (holder: Holder, key: string, put: (json: string) => void, rng: Random) => void): Change =>
  (bytes, rng) =>
    Buffer.from(changeJson(bytes.toString(), rng, (holder, key, put) => change(holder, key, put, rng)));

const JSON_KINDS: readonly Kind[] = [
  ["a value of another size", json((_h, _k, put, rng) => put(rng.choice(EXTREMES)))],
  ["a value of another type", json((_h, _k, put, rng) => put(rng.choice(OTHERS)))],
  [
    "a key gone",
    json((holder, key) => {
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else Reflect.deleteProperty(holder, key);
    }),
  ],
  [
    "a list that goes on",
    json((holder, key) => {
      const value = holder[key];
      if (Array.isArray(value))
        holder[key] = Array.from({ length: 50_000 }, (_, i) => value[i % Math.max(1, value.length)] as unknown);
    }),
  ],
  [
    "a list twice",
    json((holder, key) => {
      const value = holder[key];
      if (Array.isArray(value)) holder[key] = (value as unknown[]).concat(value);
    }),
  ],
  ["nested without end", json((_h, _k, put) => put("[".repeat(1e5) + "]".repeat(1e5)))],
  ["a million letters", json((_h, _k, put) => put(JSON.stringify("x".repeat(1e6))))],
  [
    "many unknown keys",
    json((holder) => {
      if (!Array.isArray(holder)) for (let i = 0; i < 20_000; i++) holder[`key${i}`] = i;
    }),
  ],
  [
    "a key named as an object's own",
    json((holder, key, _put, rng) => {
      if (Array.isArray(holder)) return;
      Object.defineProperty(holder, rng.choice(["__proto__", "constructor", "hasOwnProperty", "toString"]), {
        value: holder[key],
        enumerable: true,
      });
      if (rng.bernoulli(0.5)) Reflect.deleteProperty(holder, key);
    }),
  ],
  [
    "a value of elsewhere in it",
    json((holder, key, _put, rng) => {
      const places = placesIn(holder);
      const [other, name] = rng.choice(places);
      holder[key] = structuredClone((other as Holder)[name]);
    }),
  ],
];

/** A line of a file of JSON lines, changed as a JSON file. */
const LINE_KINDS: readonly Kind[] = JSON_KINDS.map(([how, change]): Kind => [
  `in a line, ${how}`,
  (bytes, rng) =>
    changeLines(
      bytes,
      (lines, i) => {
        lines[i] = change(Buffer.from(lines[i]), rng).toString().replaceAll("\n", " ");
      },
      rng,
    ),
]);

/** A header of safetensors, changed as a JSON file, with its length put right. */
const HEADER_KINDS: readonly Kind[] = JSON_KINDS.map(([how, change]): Kind => [
  `in the header, ${how}`,
  (bytes, rng) => {
    const length = Number(bytes.readBigUInt64LE(0));
    const header = change(bytes.subarray(8, 8 + length), rng);
    const start = Buffer.alloc(8);
    start.writeBigUInt64LE(BigInt(header.length));
    return Buffer.concat([start, header, bytes.subarray(8 + length)]);
  },
]);

/** Another file's content under this one's name. */
function swaps(files: Files, strange: Files): readonly Kind[] {
  return [...strange, ...[...files].slice(0, 20)].map(([name, content]): Kind => [
    `the content of ${name}`,
    () => content,
  ]);
}
