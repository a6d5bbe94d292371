import type { Command } from "commander";
import { BENCHMARKS, type BenchmarkName } from "../benchmark/names.ts";
import { BENCH, BENCH_COMMAND, BENCH_TRAINING } from "../settings/bench.ts";
import { JSON_LINES } from "../settings/common.ts";
import { REDIS, WORKER } from "../settings/worker.ts";
import { addCommand } from "./flags.ts";

const ABOUT: Readonly<Record<BenchmarkName, string>> = {
  dreambench: "the paper's benchmark, in google/dreambooth's layout",
  tinybench: "the embedded miniature: 12 rendered subjects",
};

/** `rpo bench ...` and `rpo worker`. */
export function addBenchCommands(program: Command): void {
  const bench = program
    .command("bench")
    .description("train, draw and judge many subjects with the paper's methods, into one table")
    .addHelpText(
      "after",
      `
Examples:
  rpo bench tinybench --output runs/tinybench
  rpo bench dreambench --data dreambooth/dataset --model ./sd15 --reward ./align-base --judges ./judges --output runs/dreambench
  rpo bench dreambench ... --redis redis://box     and on each machine:  rpo worker --redis redis://box
  rpo bench status runs/dreambench
  rpo bench report runs/dreambench`,
    );
  for (const name of BENCHMARKS)
    addCommand(bench, {
      name,
      about: ABOUT[name],
      settings: { ...BENCH, ...BENCH_TRAINING },
      control: BENCH_COMMAND,
      async run({ settings, control }) {
        const { benchCommand } = await import("./bench.ts");
        return benchCommand(name, settings, control);
      },
    });
  const argument = { name: "<output>", about: "the benchmark's folder" };
  addCommand(bench, {
    name: "report",
    about: "tables (terminal, Markdown, LaTeX) and an HTML page of a benchmark, finished or not",
    argument,
    settings: {},
    control: { json: { ...JSON_LINES.json, help: "the table as JSON on stdout" } },
    async run({ control, argument: output }) {
      const { benchReportCommand } = await import("./bench-report.ts");
      return benchReportCommand(output, control);
    },
  });
  addCommand(bench, {
    name: "status",
    about: "what waits, runs (how far, where), is done and has failed",
    argument,
    settings: { redis: { ...REDIS.redis, help: `ask the queue itself: ${REDIS.redis.help}` } },
    control: JSON_LINES,
    async run({ settings, control, argument: output }) {
      const { benchStatusCommand } = await import("./bench-status.ts");
      return benchStatusCommand(output, settings, control);
    },
  });
  addCommand(program, {
    name: "worker",
    about: "take a benchmark's jobs from a Redis, on any machine that sees its folders under the same paths",
    settings: WORKER,
    control: JSON_LINES,
    async run({ settings, control }) {
      const { workerCommand } = await import("./worker.ts");
      return workerCommand(settings, control);
    },
  });
}
