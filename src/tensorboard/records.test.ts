import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { packagePath } from "../system/package.ts";
import { crc32c } from "./crc32c.ts";
import { encodeEvent, type LogEvent } from "./messages.ts";
import { encodeRecord } from "./records.ts";
import { readEventFile } from "./testing/read.ts";

const golden = (name: string) => readFileSync(packagePath("tests/golden/tensorboard", name));

/** The events of tests/golden/tensorboard/make.py. */
const EVENTS: readonly LogEvent[] = [
  { wallTime: 1700000000.25, step: 0, what: { kind: "opening" } },
  { wallTime: 1700000000.5, step: 40, what: { kind: "start" } },
  { wallTime: 1700000001, step: 41, what: { kind: "values", values: [{ tag: "loss/sim", scalar: 0.1 }] } },
  {
    wallTime: 1700000002,
    step: 300,
    what: {
      kind: "values",
      values: [
        { tag: "preference/label", scalar: 0 },
        { tag: "validation/00-1 ein Bär", png: golden("pixels.png") },
      ],
    },
  },
];

test("an event file has the bytes that Python's tensorboard writes", () => {
  const file = Buffer.concat(EVENTS.map((event) => encodeRecord(encodeEvent(event))));
  expect(file.toString("hex")).toBe(golden("events.tfevents").toString("hex"));
});

test("the tests' reader reads Python's file, up to half a record, and refuses a damaged one", () => {
  const bytes = golden("events.tfevents");
  const events = readEventFile(bytes);
  expect(events.map(({ step }) => step)).toEqual([0, 40, 41, 300, 300]);
  expect(events[0].fileVersion).toBe("brain.Event:2");
  expect(events[1].isStart).toBe(true);
  expect(events[2]).toEqual({ wallTime: 1700000001, step: 41, tag: "loss/sim", scalar: Math.fround(0.1) });
  expect(events[4].image).toMatchObject({ height: 1, width: 2 });
  expect(readEventFile(bytes.subarray(0, -1)).map(({ step }) => step)).toEqual([0, 40, 41]);
  const damaged = Uint8Array.from(bytes);
  damaged[bytes.byteLength - 20] ^= 1;
  expect(() => readEventFile(damaged)).toThrow("data's checksum");
});

test("CRC-32C gives RFC 3720's examples", () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
});
