import { expect, test } from "vitest";
import { staysInside } from "./inside.ts";

test.each([
  ["images/negative-03-1.png", true],
  ["live.json", true],
  ["..png", true],
  ["/etc/passwd", false],
  ["C:\\secrets", false],
  ["..", false],
  ["images/../../secrets.png", false],
  ["images\\..\\..\\secrets.png", false],
])("%s stays inside: %o", (path, inside) => expect(staysInside(path)).toBe(inside));
