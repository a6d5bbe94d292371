import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readAssets, readReport } from "../../src/report/read.ts";
import { renderReport } from "../../src/report/render.ts";
import { root } from "../run/cli.ts";
import { makeRun, type MadeUp } from "./made-up-run.ts";

/** The page is valid HTML by the W3C's checker, where that and a Java are installed; of what it once found, the two gravest everywhere. */

const VNU = join(root, "node_modules/vnu-jar/build/dist/vnu.jar");
const hasChecker = existsSync(VNU) && spawnSync("java", ["-version"]).status === 0;

const RUNS: readonly [string, MadeUp][] = [
  ["a finished LoRA run", { more: '{"type":"stop","step":30,"reason":"steps"}\n' }],
  ["a full run without preference that is still running", { adapter: "full", preference: false }],
  ["a run that was not validated yet", { validations: 0 }],
  [
    "a failed run with words like markup",
    { class: '<b>"dog"', more: '{"type":"error","step":30,"message":"<b>no space</b>"}\n' },
  ],
];
const folder = await mkdtemp(join(tmpdir(), "valid-"));
const pages = await Promise.all(
  RUNS.map(async ([name, madeUp], i) => {
    const page = renderReport(await readReport(await makeRun(madeUp), { now: new Date(0) }), await readAssets());
    const path = join(folder, `${i}.html`);
    await writeFile(path, page);
    return { name, page, path };
  }),
);

test.runIf(hasChecker)("the W3C's checker finds nothing wrong with the pages", { timeout: 120_000 }, () => {
  // properties of SVG 2, which its checker of CSS does not know
  const unknown = ".*CSS: .(paint-order|r).: Property .* doesn't exist.*";
  const args = [
    "-jar",
    VNU,
    "--errors-only",
    "--filterpattern",
    unknown,
    "--format",
    "gnu",
    ...pages.map(({ path }) => path),
  ];
  const { status, stderr } = spawnSync("java", args, { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
});

describe.each(pages)("the page of $name", ({ page }) => {
  const markup = page.replace(/(<(style|script)[^>]*>)[^]*?(<\/\2>)/g, "$1$3");

  test("has no picture without a source", () => {
    for (const [image] of markup.matchAll(/<img\b[^>]*>/g)) expect(image).toMatch(/\bsrc="[^"]+"/);
  });

  test("has in each label at most the one field that it names", () => {
    for (const [, content] of markup.matchAll(/<label\b[^>]*\bfor=[^>]*>([^]*?)<\/label>/g))
      expect(content).not.toMatch(/<(output|input|select|textarea|button|meter|progress)\b/);
  });
});
