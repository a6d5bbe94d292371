import { expect, test } from "vitest";
import { oneLine, printable } from "./printable.ts";

test("what a terminal would obey is shown instead", () => {
  expect(printable("a\u001b[31mEVIL\u0007 λ ü\ttab")).toBe("a\\x1b[31mEVIL\\x07 λ ü\ttab");
});

test("a text of others stays within a line, and bounded", () => {
  expect(oneLine(" two\r\nlines\u001b[2J ", 100)).toBe("two lines\\x1b[2J");
  expect(oneLine("x".repeat(1e6), 5)).toBe("xxxxx…");
});
