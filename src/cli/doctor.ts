import { join } from "node:path";
import { embeddedFolder } from "../checkpoints/embedded.ts";
import { tryEngine } from "../doctor/engine.ts";
import { estimateRuns, type Estimate } from "../doctor/estimates.ts";
import type { Finding } from "../doctor/findings.ts";
import { judge } from "../doctor/judge.ts";
import { inspectSystem } from "../doctor/system.ts";
import { exists } from "../system/files.ts";
import { VERSION } from "../system/version.ts";
import { EXIT } from "./failure.ts";
import { parseTable, type GivenSettings } from "../settings/parse.ts";
import { MACHINE } from "../settings/common.ts";
import { pick } from "../settings/setting.ts";

/** `rpo doctor`. @returns the exit code: failed when something will not work */
export async function doctorCommand(given: GivenSettings, { json }: { readonly json: boolean }): Promise<number> {
  const { threads } = parseTable(pick(MACHINE, "threads"), given);
  const system = await inspectSystem();
  const engine = await tryEngine(threads);
  const models = {
    "--model tiny": await exists(join(embeddedFolder("sd"), "model_index.json")),
    "--reward tiny": await exists(join(embeddedFolder("align"), "config.json")),
  };
  const findings = judge(system, engine, models);
  const estimates = "error" in engine.speed ? [] : estimateRuns(engine.speed.gigaflops);
  const works = findings.every(({ state }) => state !== "fails");
  if (json)
    process.stdout.write(`${JSON.stringify({ version: VERSION, works, findings, estimates, system, engine })}\n`);
  else process.stdout.write(describe(findings, estimates, `rpo ${VERSION} on ${system.platform} ${system.arch}`));
  return works ? EXIT.done : EXIT.failed;
}

/** The findings, advice under what needs it, and the estimates: one screen. */
export function describe(findings: readonly Finding[], estimates: readonly Estimate[], title: string): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.flatMap(({ name, value, state, advice }) => [
    `  ${state.padEnd(5)}  ${name.padEnd(width)}  ${value}`,
    ...(advice === undefined ? [] : [`  ${" ".repeat(5)}  ${" ".repeat(width)}  -> ${advice}`]),
  ]);
  const count = (state: Finding["state"]) => findings.filter((finding) => finding.state === state).length;
  const conclusion =
    count("fails") > 0
      ? "Something will not work: follow the advice where it says fails."
      : count("note") > 0
        ? "All that is needed is there."
        : "All is well.";
  return [title, "", ...lines, "", ...describeEstimates(estimates), conclusion, ""].join("\n");
}

function describeEstimates(estimates: readonly Estimate[]): string[] {
  if (estimates.length === 0) return [];
  const rows = [
    ["a LoRA, estimated", "a step", "a picture", "a run of 400 steps", "memory"],
    ...estimates.map(({ model, pixels, secondsPerStep, secondsPerPicture, secondsPerRun, memory }) => [
      `${model}, ${pixels} px`,
      roughly(secondsPerStep),
      roughly(secondsPerPicture),
      roughly(secondsPerRun),
      memory,
    ]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const aligned = rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i])).join("  ")}`.trimEnd());
  return [...aligned, "  From the speed above and docs/speed.md; rpo train measures before it begins.", ""];
}

/** A duration to two digits or so: "84 s", "12 min", "31 h", "11 days". */
function roughly(seconds: number): string {
  if (seconds < 120) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
