import { expect, test } from "vitest";
import { bytesText } from "./bytes-text.ts";

test.each([
  [0, "0 bytes"],
  [999, "999 bytes"],
  [1000, "1 kB"],
  [16_384, "16.4 kB"],
  [120_400_000, "120 MB"],
  [999_960_000, "1 GB"],
  [3_438_000_000, "3.4 GB"],
  [14.2e9, "14.2 GB"],
  [3e12, "3000 GB"],
])("%d bytes are %s", (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});
