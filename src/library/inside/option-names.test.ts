import { expect, test } from "vitest";
import { UsageError } from "../../system/errors.ts";
import { inOptionNames, withOptionNames } from "./option-names.ts";

test.each([
  ["--lora-alpha 0: expected a number above 0", "loraAlpha 0: expected a number above 0"],
  ["--output runs/my--dog: continue it with --resume", "output runs/my--dog: continue it with resume"],
  [
    "continue it with rpo train --resume --output a; or --hold-out",
    "continue it with rpo train --resume --output a; or holdOut",
  ],
  ["unet/config.json: 4 -- no more", "unet/config.json: 4 -- no more"],
])("%s", (given, named) => {
  expect(inOptionNames(given)).toBe(named);
});

test("an error keeps its kind, and its stack says what its message says", async () => {
  const error = new UsageError("--steps 0: expected more");
  await expect(withOptionNames(() => Promise.reject(error))).rejects.toBe(error);
  expect(error.message).toBe("steps 0: expected more");
  expect(error.stack).toMatch(/steps 0: expected more\n {4}at /);
});
