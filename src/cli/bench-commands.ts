import type { Command } from "@commander-js/extra-typings";
import { BENCHMARKS, type BenchmarkName } from "../benchmark/names.ts";
import { givenOnly } from "./given.ts";

const JSON_HELP = "machine-readable lines on stdout";
const REDIS_HELP = "redis://[:PASSWORD@]HOST[:PORT], or rediss:// for TLS";

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
  for (const name of BENCHMARKS) addBenchmark(bench, name);
  bench
    .command("report")
    .description("tables (terminal, Markdown, LaTeX) and an HTML page of a benchmark, finished or not")
    .argument("<output>", "the benchmark's folder")
    .option("--json", "the table as JSON on stdout")
    .action(async (output, options) => {
      const { benchReportCommand } = await import("./bench-report.ts");
      process.exitCode = await benchReportCommand(output, { json: options.json ?? false });
    });
  bench
    .command("status")
    .description("what waits, runs (how far, where), is done and has failed")
    .argument("<output>", "the benchmark's folder")
    .option("--redis <url>", `ask the queue itself: ${REDIS_HELP}`)
    .option("--json", JSON_HELP)
    .action(async (output, options, command) => {
      const { json: asJson = false, ...settings } = options;
      const { benchStatusCommand } = await import("./bench-status.ts");
      process.exitCode = await benchStatusCommand(output, givenOnly(settings, command), { json: asJson });
    });
  program
    .command("worker")
    .description("take a benchmark's jobs from a Redis, on any machine that sees its folders under the same paths")
    .option("--redis <url>", REDIS_HELP)
    .option("--concurrency <n>", "jobs at a time (default 1)")
    .option("--threads <n>", "of each job (default: one a core)")
    .option("--root <folder>", "work on no benchmark but those below it (default: wherever one is)")
    .option("--json", JSON_HELP)
    .action(async (options, command) => {
      const { json: asJson = false, ...settings } = options;
      const { workerCommand } = await import("./worker.ts");
      process.exitCode = await workerCommand(givenOnly(settings, command), { json: asJson });
    });
}

function addBenchmark(bench: Command, name: BenchmarkName): void {
  bench
    .command(name)
    .description(ABOUT[name])
    .option("--data <folder>", "dreambench: a folder for each subject, and prompts_and_classes.txt")
    .option("--subjects <names>", "with commas between (default: all)")
    .option("--methods <names>", "of references, base, l-sim, l-sim+selection, l-pref-only-late, rpo (default: all)")
    .option("--seeds <numbers>", "with commas between (default 0)")
    .option("--steps <n>", "of training (default 400, or the model's own)")
    .option("--prompts-per-subject <n>", "spread over the subject's prompts (default 25)")
    .option("--pictures <n>", "of each prompt (default 4)")
    .option("--drawing-steps <n>", "sampler steps of the pictures that are judged (default 20)")
    .option("--guidance <x>", "of the same (default: the one of training, 7.5 or the model's own)")
    .option("--model <model>", "a diffusers folder, one .safetensors file, or a name on the hub (default tiny)")
    .option(
      "--reward <model>",
      "an ALIGN folder or a name on the hub (default kakaobrain/align-base; tiny with --model tiny)",
    )
    .option("--judges <folder>", "holds dino, clip and align; tiny for the embedded ones")
    .option("--adapter <kind>", "lora, or full for all of the U-Net")
    .option("--lr <x>", "learning rate")
    .option("--config <file>", "more settings of training as JSON, see rpo train")
    .option("--output <folder>", "where everything goes; a benchmark that was stopped goes on")
    .option("--redis <url>", `have rpo worker do the work: ${REDIS_HELP}`)
    .option("--threads <n>", "without --redis (default: one a core)")
    .option("--list-subjects", "list them and end")
    .option("--json", "a line for each result on stdout")
    .action(async (options, command) => {
      const { json: asJson = false, listSubjects = false, ...settings } = options;
      const { benchCommand } = await import("./bench.ts");
      process.exitCode = await benchCommand(name, givenOnly(settings, command), { listSubjects, json: asJson });
    });
}
