import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { chromium, type Browser, type Page } from "playwright-core";
import sharp from "sharp";
import { UsageError } from "../../system/errors.ts";
import { writeFileAtomic } from "../../system/files.ts";
import { packagePath } from "../../system/package.ts";
import { runTool } from "../arguments.ts";
import { VIEWS, type Runs } from "./views.ts";

/** `npm run page-pictures`: the pictures of docs/page.md, of the page as it is. */

const USAGE = `usage: npm run page-pictures -- RUNS [NAME...]
RUNS is a copy of runs, with what npm run demo wrote (backpack) among them; a small run is trained there.
NAME is a picture to make (default: all): ${VIEWS.map(({ name }) => name).join(", ")}`;

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const QUALITY = 80;
const WIDTH = 1200;
const SLOW_MS = 120_000;
const SETTLED_MS = 500;

interface Request {
  readonly runs: string;
  readonly names: readonly string[];
}

function parse([runs, ...names]: readonly string[]): Request {
  if (runs === undefined || !existsSync(runs)) throw new UsageError("RUNS: expected a folder of runs");
  for (const name of names)
    if (!VIEWS.some((view) => view.name === name)) throw new UsageError(`${name}: not the name of a picture`);
  return { runs, names };
}

interface Server {
  readonly url: string;
  /** Of the runs. */
  readonly folder: string;
  readonly close: () => Promise<void>;
}

/** The page over a folder of runs, served until it is closed. */
async function serve(runs: string): Promise<Server> {
  const words = ["ui", runs, "--port", "0", "--no-token"];
  const child = spawn(process.execPath, [packagePath("dist", "cli", "main.js"), ...words], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [url] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return {
    ...{ url: new URL(url).origin, folder: resolve(runs) },
    async close() {
      child.kill("SIGINT");
      await once(child, "exit");
    },
  };
}

async function runsOf(url: string): Promise<Runs> {
  const { runs } = (await (await fetch(`${url}/api/runs`)).json()) as {
    readonly runs: readonly { readonly name: string; readonly id: string }[];
  };
  return (name) => {
    const id = runs.find((run) => run.name === name)?.id;
    if (id === undefined) throw new UsageError(`${name}: no such run`);
    return id;
  };
}

/** Opens a page and keeps what it shows. */
async function keep(
  browser: Browser,
  { url, folder }: Server,
  { name, scheme, height, width, show }: (typeof VIEWS)[number],
) {
  const size = { width: width ?? WIDTH, height };
  const page: Page = await browser.newPage({ viewport: size, colorScheme: scheme ?? "light" });
  page.setDefaultTimeout(SLOW_MS);
  try {
    const clip = await show(page, { url, runs: await runsOf(url) });
    await page.waitForFunction("[...document.images].every(({ complete }) => complete)");
    await page.waitForTimeout(SETTLED_MS);
    // whoever looks at the pictures has runs elsewhere
    await page.evaluate(
      `for (const walk = document.createTreeWalker(document.body, 4); walk.nextNode(); )
        walk.currentNode.data = walk.currentNode.data.replaceAll(${JSON.stringify(folder)}, "/home/me/runs")`,
    );
    const png = await page.screenshot({ fullPage: clip === "all" });
    const webp = await sharp(png).webp({ quality: QUALITY }).toBuffer();
    await writeFileAtomic(packagePath("docs", "pictures", `page-${name}.webp`), webp);
    process.stdout.write(`${join("docs", "pictures", `page-${name}.webp`)}: ${webp.length} bytes\n`);
  } finally {
    await page.close();
  }
}

async function main({ runs, names }: Request): Promise<void> {
  const executablePath = CHROMIUM.find(existsSync);
  if (executablePath === undefined) throw new UsageError("Chromium is not installed");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  const server = await serve(runs);
  try {
    for (const view of VIEWS) if (names.length === 0 || names.includes(view.name)) await keep(browser, server, view);
  } finally {
    await server.close();
    await browser.close();
  }
}

await runTool(USAGE, parse, main);
