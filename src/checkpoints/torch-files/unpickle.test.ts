import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { unpickle } from "./unpickle.ts";

/** What Python's `pickle.dumps(value, protocol)` gives, in hexadecimal. */
const dump = (hex: string) => Buffer.from(hex.replace(/\s/g, ""), "hex");

describe("plain values are Python's:", () => {
  test.each<[string, string, unknown]>([
    [
      "numbers",
      "80025d7100284b004bff4d00014affffffff4a701101008a060000000000018a060000000000ff473ff80000000000004e8889652e",
      [0, 255, 256, -1, 70000, 2 ** 40, -(2 ** 40), 1.5, null, true, false],
    ],
    [
      "texts",
      "80025d71002858010000006171015858020000c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a97102652e",
      ["a", "é".repeat(300)],
    ],
    [
      "texts of protocol 4",
      "8004951f000000000000007d94288c0161945d94284b01284b024b034b044b057494658c01629429752e",
      new Map<unknown, unknown>([
        ["a", [1, [2, 3, 4, 5]]],
        ["b", []],
      ]),
    ],
    ["protocol 5", "8005950f000000000000008c0178947d948c016b944e7386942e", ["x", new Map([["k", null]])]],
  ])("%s", (_, hex, expected) => {
    expect(unpickle(dump(hex))).toEqual(expected);
  });
});

describe("nothing is run, and what is damaged is refused:", () => {
  test.each<[string, string, string]>([
    [
      "os.system",
      "800263706f7369780a73797374656d0a710058070000006563686f20686971018571025271032e",
      "it names posix.system, which would be run",
    ],
    [
      "os.system of protocol 4",
      "80049522000000000000008c05706f736978948c0673797374656d9493948c076563686f20686994859452942e",
      "it names posix.system, which would be run",
    ],
    [
      "eval",
      "8002635f5f6275696c74696e5f5f0a6576616c0a710058010000003171018571025271032e",
      "it names __builtin__.eval, which would be run",
    ],
    ["a stack that is empty", "80022e", "the pickle is damaged"],
    ["a cut", "8002580500000061", "cut short"],
    ["no end", "80024e", "cut short"],
    ["an unknown opcode", "8002ff2e", "opcode that is not read"],
    ["a mark that is missing", "8002742e", "damaged"],
    ["a memo that is missing", "800268052e", "damaged"],
    ["items of what is no dictionary", "80025d4b014b02732e", "damaged"],
  ])("%s", (_, hex, message) => {
    expect(() => unpickle(dump(hex))).toThrow(message);
  });

  test("a thousand changes to a real file's pickle end in a value or a reason", async () => {
    const path = fileURLToPath(new URL("../../../tests/golden/embeddings/mystyle.pt", import.meta.url));
    const whole = await readFile(path);
    const begin = whole.indexOf("\x80\x02", 0, "latin1");
    const pickle = whole.subarray(begin, whole.indexOf("PK\x07\x08", begin, "latin1"));
    expect(() => unpickle(pickle)).not.toThrow();
    for (let i = 0; i < 1000; i++) {
      const changed = Buffer.from(pickle);
      changed[(i * 7919) % changed.length] = (i * 104_729) % 256;
      try {
        unpickle(changed);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
        expect(error).not.toBeInstanceOf(TypeError);
        expect(error).not.toBeInstanceOf(RangeError);
      }
    }
  });
});

test("a list that is copied again and again ends the reading", () => {
  const list = Buffer.concat([Buffer.from("("), Buffer.alloc(300_000, "N"), Buffer.from("tq\0")]);
  const copies = Buffer.from("c__builtin__\nset\nh\0\x85R", "latin1");
  const pickle = (count: number) =>
    Buffer.concat([Buffer.from([0x80, 2]), list, ...Array.from({ length: count }, () => copies), Buffer.from(".")]);
  expect(unpickle(pickle(2))).toHaveLength(300_000);
  expect(() => unpickle(pickle(4))).toThrow("too many values");
});
