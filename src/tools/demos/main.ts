import { spawn } from "node:child_process";
import { once } from "node:events";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { defaultOutput } from "../../report/read.ts";
import { readBest } from "../../runs/best.ts";
import { readExam } from "../../runs/exam-file.ts";
import { UsageError } from "../../system/errors.ts";
import { exists, readJson, writeJson } from "../../system/files.ts";
import { packagePath } from "../../system/package.ts";
import { runTool } from "../arguments.ts";
import { BUNDLED } from "../study/studies.ts";
import { demosTable, type KeptDemo } from "./table.ts";

const SEEDS = [0, 1];

const USAGE = `usage: npm run --silent demos -- --output FOLDER [--tables]
Runs the demo of each bundled subject on seeds ${SEEDS.join(" and ")}, one after the other, and ends with a table; what is there is not run again.
--tables prints the table of what is there, and runs nothing.`;

interface Request {
  readonly output: string;
  readonly tables: boolean;
}

async function main({ output, tables }: Request): Promise<void> {
  const kept: KeptDemo[] = [];
  for (const seed of SEEDS)
    for (const subject of BUNDLED) {
      const demo = { subject, seed, folder: join(output, `${subject}-${seed}`) };
      const file = `${demo.folder}.json`;
      if (!(await exists(file))) {
        if (tables) continue;
        const isNew = !(await exists(demo.folder));
        const started = performance.now();
        if (!(await exists(defaultOutput(demo.folder))) && !(await run(demo))) return;
        const seconds = isNew ? (performance.now() - started) / 1000 : undefined;
        await writeJson(file, await figuresOf(demo, seconds));
      }
      kept.push((await readJson(file)) as KeptDemo); // the tool's own file
    }
  if (kept.length === 0) throw new UsageError(`${output}: no demo has been run there yet; leave --tables out`);
  process.stdout.write(`${demosTable(kept)}\n`);
}

interface Demo {
  readonly subject: string;
  readonly seed: number;
  readonly folder: string;
}

/** Runs a demo as a user would; one that was interrupted goes on. @returns whether it came to its end */
async function run({ subject, seed, folder }: Demo): Promise<boolean> {
  const words = ["demo", "--subject", subject, "--seed", String(seed), "--output", folder];
  const child = spawn(process.execPath, [packagePath("dist", "cli", "main.js"), ...words], { stdio: "inherit" });
  const ignore = (): void => undefined; // the demo says how it goes on
  process.on("SIGINT", ignore);
  const [code] = (await once(child, "exit")) as [number | null];
  process.off("SIGINT", ignore);
  process.exitCode = code ?? 1;
  return code === 0;
}

async function figuresOf({ subject, seed, folder }: Demo, seconds: number | undefined): Promise<KeptDemo> {
  const exam = await readExam(folder);
  if (exam === undefined) throw new UsageError(`${folder}: a demo without an exam`);
  const best = await readBest(folder);
  return { subject, seed, seconds, chosen: best === undefined ? 0 : Number(basename(best)), exam };
}

/** @throws UsageError */
function parse(args: readonly string[]): Request {
  const options = { output: { type: "string" }, tables: { type: "boolean", default: false } } as const;
  const { output, tables } = parseArgs({ args: [...args], options }).values;
  if (output === undefined) throw new UsageError("--output is missing");
  return { output, tables };
}

await runTool(USAGE, parse, main);
