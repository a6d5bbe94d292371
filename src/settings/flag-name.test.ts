import { expect, test } from "vitest";
import { flagName, inFlags } from "./flag-name.ts";
import { ModelError, UsageError, type Message } from "../system/errors.ts";
import { failureOf, revive } from "../system/failure.ts";
import { failureWith, messageOf, say, setting, textOf } from "../system/message.ts";

const cases: [message: Message, option: string, flag: string][] = [
  [
    say`${setting("loraAlpha", 0)}: expected a number above ${0}`,
    "loraAlpha 0: expected a number above 0",
    "--lora-alpha 0: expected a number above 0",
  ],
  [
    say`${setting("output", "runs/my--dog")}: continue it with ${setting("resume")}`,
    "output runs/my--dog: continue it with resume",
    "--output runs/my--dog: continue it with --resume",
  ],
  [
    say`continue it with rpo train --resume --output ${"a"}; or ${setting("holdOut")}`,
    "continue it with rpo train --resume --output a; or holdOut",
    "continue it with rpo train --resume --output a; or --hold-out",
  ],
  [say`use ${setting("adapter", "full")}`, "use adapter full", "use --adapter full"],
  [say`${say`${setting("lr")} and ${setting("lr", "")}`}.`, "lr and lr .", "--lr and --lr ."],
  ["unet/config.json: 4 --no more", "unet/config.json: 4 --no more", "unet/config.json: 4 --no more"],
];

test.each(cases)("%j is an option's name for a program, a flag on the command line", (message, option, flag) => {
  expect(textOf(message)).toBe(option);
  for (const Kind of [UsageError, ModelError]) {
    const error = new Kind(message);
    expect([error.message, inFlags(error)]).toEqual([option, flag]);
    expect(error.stack).toContain(option);
    const revived = revive(structuredClone(failureOf(error)));
    expect(revived).toBeInstanceOf(Kind);
    expect([revived.message, inFlags(revived), revived.stack]).toEqual([option, flag, error.stack]);
  }
});

test("an error of any kind may name settings, out of the thread too", () => {
  const message = say`lower ${setting("lr")}`;
  const error = failureWith(message);
  const revived = revive(structuredClone(failureOf(error)));
  expect([revived.name, revived.message, inFlags(revived)]).toEqual(["Error", "lower lr", "lower --lr"]);
  expect(inFlags(new UsageError(say`${messageOf(error)}; or not`))).toBe("lower --lr; or not");
});

test("what was thrown without a message has none, and what is no error is its text", () => {
  expect(new UsageError().message).toBe("");
  expect(inFlags("stop")).toBe("stop");
});

test("a message of a million letters is cut, however its settings are called", () => {
  const error = new UsageError(say`${setting("prompt", "x".repeat(1e6))}: no`);
  expect(error.message).toMatch(/^prompt x+\.\.\. \(998011 letters more\)$/);
  expect(inFlags(error)).toMatch(/^--prompt x+\.\.\. \(998013 letters more\)$/);
});

test("a name of several words is a flag with hyphens", () => {
  expect(["lr", "loraAlpha", "noPreference"].map(flagName)).toEqual(["--lr", "--lora-alpha", "--no-preference"]);
});
