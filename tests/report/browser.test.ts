import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { readAssets, readReport } from "../../src/report/read.ts";
import { renderReport } from "../../src/report/render.ts";
import { makeRun } from "./made-up-run.ts";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);

/** The page as a browser has it once its script has run. */
async function domOf(page: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rpo-browser-"));
  const file = join(folder, "report.html");
  await writeFile(file, page);
  const flags =
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking".split(" ");
  const args = [...flags, "--disable-component-update", "--disable-sync", `--user-data-dir=${join(folder, "profile")}`];
  const options = { maxBuffer: 1e8, timeout: 50_000 };
  return (await promisify(execFile)(CHROMIUM ?? "", [...args, "--dump-dom", `file://${file}`], options)).stdout;
}

test.skipIf(CHROMIUM === undefined)(
  "a browser runs the script under the page's policy, at the run's lambda",
  async () => {
    const page = renderReport(await readReport(await makeRun(), { now: new Date(0) }), await readAssets());
    expect(page).toContain('<div class="slider" hidden>');
    const dom = await domOf(page);
    expect(dom).toMatch(/<div class="slider">/);
    expect(dom).toMatch(/id="lambda-value"[^>]*>0\.50</);
    // the script marks the column of the grid that the page's own words name
    const [, chosen] = /<dd>step (\d+)<\/dd>/.exec(dom) ?? [];
    expect(dom).toMatch(new RegExp(`<th scope="col" data-step="${chosen}" class="chosen">`));
  },
);
