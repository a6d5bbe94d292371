import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { readAssets, readReport } from "../../src/report/read.ts";
import { renderReport } from "../../src/report/render.ts";
import { makeRun, type MadeUp } from "./made-up-run.ts";

const now = new Date("2026-01-02T03:04:05Z");

async function pageOf(madeUp: MadeUp = {}): Promise<string> {
  return renderReport(await readReport(await makeRun(madeUp), { now }), await readAssets());
}

const EVIL = `</script><script>alert("x")</script><img src=http://evil.example/ onerror='alert(1)'>`;

/** Elements that have no end tag. */
const VOID = new Set(["meta", "img", "br", "input"]);

interface Tag {
  readonly name: string;
  readonly end: boolean;
  readonly closed: boolean;
  readonly attributes: ReadonlyMap<string, string>;
}

/** The tags of a page as a browser sees them: what stands in style and script elements is no markup. */
function tagsOf(page: string): Tag[] {
  const markup = page.replace(/(<(style|script)[^>]*>)[^]*?(<\/\2>)/g, "$1$3");
  return [...markup.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:[^">]|"[^"]*")*?)(\/?)>/gi)].map(
    ([, end, name, attributes, closed]) => ({
      name,
      end: end !== "",
      closed: closed !== "",
      attributes: new Map([...attributes.matchAll(/([^\s="]+)(?:="([^"]*)")?/g)].map(([, key, value]) => [key, value])),
    }),
  );
}

/** Whether a pattern is anywhere in the page, which is too long to be shown. */
const holds = (page: string, pattern: RegExp): boolean => pattern.test(page);

describe.each<[string, MadeUp]>([
  ["a finished LoRA run", { more: '{"type":"stop","step":30,"reason":"steps"}\n' }],
  ["a full run without preference that is still running", { adapter: "full", preference: false, more: '{"type":"st' }],
  ["a run that was not validated yet", { validations: 0 }],
  ["a run with one validation and no step", { validations: 1, noises: 1 }],
  ["a failed run", { more: '{"type":"error","step":30,"message":"<b>no space</b>"}\n' }],
  ["a run with hostile words", { class: EVIL, prompts: [EVIL, `"${EVIL}`] }],
])("the page of %s", (_name, madeUp) => {
  test("is well-formed, needs nothing from outside, and holds no words as markup", async () => {
    const page = await pageOf(madeUp);
    const open: string[] = [];
    for (const { name, end, closed, attributes } of tagsOf(page)) {
      for (const [attribute, value] of attributes) {
        expect(attribute).not.toMatch(/^(on.*|href|style|srcset|action)$/);
        if (attribute === "src") expect(value).toMatch(/^data:image\/webp;base64,[A-Za-z0-9+/=]+$/);
      }
      if (end) expect(open.pop()).toBe(name);
      else if (!VOID.has(name) && !closed) open.push(name);
    }
    expect(open).toEqual([]);
    expect(tagsOf(page).filter(({ name, end }) => name === "script" && !end)).toHaveLength(2);
    expect(holds(page, /<b>no space|<b>1\.jpg|<img src=http/)).toBe(false);
    expect(holds(page, /@import|url\(|https?:\/\/(?!evil\.example)/)).toBe(false);
  });

  test("has charts that an SVG renderer accepts", async () => {
    // the page's script has the charts' templates too
    const markup = (await pageOf(madeUp)).replace(/<script[^]*?<\/script>/g, "");
    const charts = [...markup.matchAll(/<svg[^]*?<\/svg>/g)].map(([svg]) => svg);
    expect(charts.length).toBeGreaterThan(madeUp.validations === 0 ? -1 : 1);
    for (const svg of charts) {
      const whole = svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg" width="460" height="280"');
      expect(await sharp(Buffer.from(whole)).metadata()).toMatchObject({ width: 460, height: 280 });
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    }
  });
});

test("the policy allows this style and this script and nothing else", async () => {
  const page = await pageOf();
  const [, policy] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
  const hashOf = (text: string) => `sha256-${createHash("sha256").update(text).digest("base64")}`;
  const [, style] = /<style>([^]*?)<\/style>/.exec(page) ?? [];
  const [, script] = /<script>([^]*?)<\/script>/.exec(page) ?? [];
  expect(policy?.replaceAll("&#39;", "'").split("; ")).toEqual([
    "default-src 'none'",
    "img-src data:",
    `style-src '${hashOf(style)}'`,
    `script-src '${hashOf(script)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ]);
});

test("photos that are gone are named, and those that the run kept are shown", async () => {
  const run = await makeRun();
  expect((await readReport(run, { now })).photos).toEqual([
    { name: "<b>1.jpg", picture: undefined },
    { name: "2.jpg", picture: undefined },
  ]);
  const kept = { create: { width: 8, height: 8, channels: 3, background: "red" } } as const;
  await sharp(kept).png().toFile(join(run, "images/photo-01.png"));
  expect((await readReport(run, { now })).photos[1].picture).toMatchObject({ width: 8, height: 8 });
});

test("a run from elsewhere puts nothing of its reader's own into a page: photos, prompts and links are not followed", async () => {
  const run = await makeRun();
  const own = join(await mkdtemp(join(tmpdir(), "rpo-own-")), "private.png");
  const kept = { create: { width: 8, height: 8, channels: 3, background: "red" } } as const;
  await sharp(kept).png().toFile(own);
  const config = JSON.parse(await readFile(join(run, "config.json"), "utf8")) as { hashes: object };
  const hashes = { ...config.hashes, [own]: "33" };
  await writeFile(join(run, "config.json"), JSON.stringify({ ...config, images: dirname(own), hashes }));
  const { photos } = await readReport(run, { now });
  expect(photos).toEqual([{ name: "private.png", picture: undefined }]);
  expect(
    holds(renderReport(await readReport(run, { now }), await readAssets()), /private\.png<br \/>not in the run/),
  ).toBe(true);

  for (const file of ["images/photo-00.png", "images/negative-00-0.png", "events.jsonl", "config.json"]) {
    const linked = await makeRun();
    await rm(join(linked, file), { force: true });
    await symlink(file.endsWith(".png") ? own : join(run, file), join(linked, file));
    await expect(readReport(linked, { now }), file).rejects.toThrow(`${join(linked, file)}: it leads out of ${linked}`);
  }
});

test("a picture of a run may cost its reader no more than any other", async () => {
  const run = await makeRun();
  await writeFile(
    join(run, "images/photo-00.png"),
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
  );
  expect((await readReport(run, { now })).photos[0].picture).toBeUndefined();
});

test("pictures that are gone or damaged leave a gap", async () => {
  const run = await makeRun();
  await rm(join(run, "images/validation-0-0-0.png"));
  await writeFile(join(run, "images/validation-1-0-0.png"), "no picture");
  const view = await readReport(run, { now });
  expect(view.pictures.has("images/validation-0-1-0.png")).toBe(true);
  expect(view.pictures.has("images/validation-0-0-0.png")).toBe(false);
  expect(holds(renderReport(view, await readAssets()), /no picture/)).toBe(true);
});

test("another run is compared on the same prompts and noises only", async () => {
  const run = await makeRun();
  const [other, elsewhere] = [await makeRun({ validations: 2 }), await makeRun({ seeds: 1 })];
  const { companions } = await readReport(run, { companions: [{ run: other, label: "pure" }], now });
  expect(companions).toMatchObject([{ label: "pure", validation: { step: 10 } }]);
  await expect(readReport(run, { companions: [{ run: elsewhere, label: "other" }], now })).rejects.toThrow(
    /other prompts or noises/,
  );
});

test("a run of other photos is not compared, though its prompts and noises are the same", async () => {
  const [run, other] = [await makeRun(), await makeRun()];
  const path = join(other, "config.json");
  const config = JSON.parse(await readFile(path, "utf8")) as { images: string; hashes: Record<string, string> };
  const photo = Object.keys(config.hashes).find((name) => name.startsWith(config.images)) ?? "";
  await writeFile(path, JSON.stringify({ ...config, hashes: { ...config.hashes, [photo]: "f".repeat(64) } }));
  await expect(readReport(run, { companions: [{ run: other, label: "other" }], now })).rejects.toThrow(/other photos/);
});

test("the page's script is the build's", async () => {
  expect(holds((await readAssets()).script, /addEventListener/)).toBe(true);
  expect((await readFile("dist/report/page/report.css", "utf8")).length).toBeGreaterThan(1000);
});
