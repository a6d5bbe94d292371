import { expect, test } from "vitest";
import { describe as describeFindings } from "../../src/cli/doctor.ts";
import type { Estimate } from "../../src/doctor/estimates.ts";
import type { Finding } from "../../src/doctor/findings.ts";
import { rpo } from "../run/cli.ts";

interface Report {
  readonly works: boolean;
  readonly findings: readonly Finding[];
  readonly estimates: readonly { readonly secondsPerRun: number }[];
}

test("here rpo doctor finds what the tests need, and measures the engine", async () => {
  const { code, stdout, stderr } = await rpo(["doctor", "--json", "--threads", "1"]);
  expect([code, stderr]).toEqual([0, ""]);
  const { works, findings, estimates } = JSON.parse(stdout) as Report;
  expect(works).toBe(true);
  expect(findings.filter(({ state }) => state === "fails")).toEqual([]);
  expect(findings.find(({ name }) => name === "Speed")?.value).toMatch(/^\d+ GFLOP\/s on 1 thread$/);
  expect(estimates).toHaveLength(2);
  expect(estimates[0].secondsPerRun).toBeGreaterThan(0);
});

test("what is shown fits on a screen, in columns, and says how it ends", () => {
  const findings: Finding[] = [
    { name: "Node", value: "20.20.2", state: "ok" },
    { name: "Memory", value: "4.0 GB", state: "note", advice: "buy some" },
  ];
  const estimates: Estimate[] = [
    {
      model: "Stable Diffusion 1.5",
      pixels: 512,
      secondsPerStep: 45.1,
      secondsPerPicture: 203,
      secondsPerRun: 27.0 * 3600,
      memory: "14.2 GB, 8.2 GB with --memory low",
    },
    {
      model: "Stable Diffusion XL",
      pixels: 1024,
      secondsPerStep: 380,
      secondsPerPicture: 1710,
      secondsPerRun: 9.4 * 24 * 3600,
      memory: "about 16 GB with --memory low",
    },
  ];
  expect(describeFindings(findings, estimates, "rpo").split("\n")).toEqual([
    "rpo",
    "",
    "  ok     Node    20.20.2",
    "  note   Memory  4.0 GB",
    "                 -> buy some",
    "",
    "  a LoRA, estimated             a step  a picture  a run of 400 steps  memory",
    "  Stable Diffusion 1.5, 512 px  45 s    3 min      27 h                14.2 GB, 8.2 GB with --memory low",
    "  Stable Diffusion XL, 1024 px  6 min   29 min     9 days              about 16 GB with --memory low",
    "  From the speed above and docs/speed.md; rpo train measures before it begins.",
    "",
    "All that is needed is there.",
    "",
  ]);
  const broken: Finding = { name: "Node", value: "18", state: "fails", advice: "newer" };
  expect(describeFindings([broken], [], "rpo")).toMatch(/-> newer\n\nSomething will not work/);
  expect(describeFindings([findings[0]], [], "rpo")).toMatch(/\n\nAll is well\.\n$/);
});

test("wrong usage of rpo doctor exits 2", async () => {
  const { code, stderr } = await rpo(["doctor", "--threads", "0"]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/--threads "0": expected an integer from 1/);
});
