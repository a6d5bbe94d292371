import { expect, test } from "vitest";
import { printable } from "./failure.ts";

test("what a terminal would obey is shown instead", () => {
  expect(printable("a\u001b[31mEVIL\u0007 λ ü\ttab")).toBe("a\\x1b[31mEVIL\\x07 λ ü\ttab");
});
