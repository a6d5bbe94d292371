import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as METHODS from "../../src/methods/index.ts";
import { flagName } from "../../src/settings/flag-name.ts";
import { GENERATE } from "../../src/settings/generate.ts";
import { namesOf } from "../../src/settings/setting.ts";
import { TRAIN, TRAIN_COMMAND } from "../../src/settings/train.ts";
import { rpo } from "../run/cli.ts";

/** The scripts are run by the shells themselves, where those are installed. */

const folder = mkdtempSync(join(tmpdir(), "completion-"));
const scripts = new Map<string, string>();
for (const shell of ["bash", "zsh", "fish"]) {
  const { code, stdout, stderr } = await rpo(["completion", shell]);
  expect(code, stderr).toBe(0);
  const path = join(folder, shell);
  writeFileSync(path, stdout);
  scripts.set(shell, path);
}
const script = (shell: string): string => scripts.get(shell) ?? "";
const isThere = (shell: string) => spawnSync(shell, ["--version"]).status === 0;

/** What bash offers for the last of some words. */
function bash(...words: string[]): string[] {
  const line = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _rpo; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync("bash", ["-c", line, "bash", script("bash"), "rpo", ...words], {
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  expect(stderr).toBe("");
  return stdout.split("\n").filter((word) => word !== "");
}

describe("bash completes", () => {
  test.runIf(isThere("bash"))("commands, a command's commands and what begins as they do", () => {
    expect(bash("")).toEqual(expect.arrayContaining(["train", "generate", "bench", "completion"]));
    expect(bash("tr")).toEqual(["train"]);
    expect(bash("bench", "")).toEqual(expect.arrayContaining(["tinybench", "dreambench", "status"]));
    expect(bash("gpu", "i")).toEqual(["install"]);
  });

  test.runIf(isThere("bash"))("every flag of a command that its table has, by the name that help says", () => {
    const flags = (table: Parameters<typeof namesOf>[0]) =>
      Object.keys(table).map((key) => {
        const { takes, default: value } = table[key];
        const [name] = namesOf(table, key);
        return flagName(takes === undefined && value === true ? `no-${name}` : name);
      });
    expect(bash("train", "--")).toEqual(expect.arrayContaining([...flags(TRAIN), ...flags(TRAIN_COMMAND)]));
    expect(bash("generate", "--")).toEqual(expect.arrayContaining(flags(GENERATE)));
    expect(bash("generate", "--")).not.toContain("--images");
    expect(bash("bench", "tinybench", "--out")).toEqual(["--output"]);
    expect(bash("train", "--no-early")).toEqual(["--no-early-stopping"]);
  });

  test.runIf(isThere("bash"))("a flag's values, files where it takes one, and words of arguments", () => {
    expect(bash("train", "--method", "")).toEqual(Object.keys(METHODS));
    expect(bash("train", "--device", "c")).toEqual(["cpu", "cuda"]);
    expect(bash("train", "--images", "p")).toEqual([]); // bash's own files
    expect(bash("train", "--method", "rpo", "--prediction", "v-")).toEqual(["v-zsnr"]);
    expect(bash("completion", "")).toEqual(expect.arrayContaining(["bash", "zsh", "fish"]));
    expect(bash("report", "r")).toEqual([]);
    // a value that is called as a command is none
    expect(bash("train", "--class", "bench", "--met")).toEqual(["--method"]);
  });
});

test.runIf(isThere("zsh"))("zsh takes its script", () => {
  const { status, stderr } = spawnSync("zsh", ["-n", script("zsh")], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
});

test.runIf(isThere("fish"))("fish completes by its script", () => {
  const fish = (line: string) => {
    const { stdout, stderr } = spawnSync(
      "fish",
      ["--no-config", "-c", `source ${script("fish")}; complete -C '${line}'`],
      { encoding: "utf8" },
    );
    expect(stderr).toBe("");
    return stdout.split("\n").map((each) => each.split("\t")[0]);
  };
  expect(fish("rpo tr")).toContain("train");
  expect(fish("rpo bench ti")).toContain("tinybench");
  expect(fish("rpo train --method ")).toEqual(expect.arrayContaining(Object.keys(METHODS)));
  expect(fish("rpo train --prom")).toContain("--prompts");
  expect(fish("rpo train --prom")).not.toContain("--prompt");
});

test("another shell is refused by name", async () => {
  const { code, stderr } = await rpo(["completion", "tcsh"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("rpo completion tcsh: expected bash, zsh or fish")]);
});
