import { appendFile, cp, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, Page, Request } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeRun } from "../report/made-up-run.ts";
import { rpo, root, temporaryFolder } from "../run/cli.ts";
import { CHROMIUM, launch, serve, type Served } from "./server.ts";

/** The page in a browser, over runs that are there. */

const FROZEN = join(root, "tests/frozen/before-trust/lora");
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const SCORES = { dino: 0.51, clipI: 0.62, clipT: 0.33, alignI: 0.74, alignT: 0.85, copyRate: 0, diversity: 0.16 };
const BENCH_ROWS = [
  { subject: "dog", method: "rpo", lambda: 0.5, seed: 0, steps: 8, seconds: 2, memory: 2, pictures: 2, ...SCORES },
  { subject: "dog", method: "base", lambda: null, seed: 0, steps: 0, seconds: 0, memory: 2, pictures: 2, ...SCORES },
];

describe.skipIf(CHROMIUM === undefined)("in a browser,", () => {
  let browser: Browser;
  let runs: string;
  let server: Served;
  let page: Page;

  beforeAll(async () => {
    browser = await launch();
    runs = await temporaryFolder();
    await cp(FROZEN, join(runs, "lora"), { recursive: true });
    await cp(await makeRun({ validations: 6 }), join(runs, "made-up"), { recursive: true });
    for (const step of await readdir(join(runs, "made-up", "checkpoints")))
      await cp(join(FROZEN, "checkpoints", "000004"), join(runs, "made-up", "checkpoints", step), { recursive: true });
    await mkdir(join(runs, "bench"));
    await writeFile(join(runs, "bench", "bench.json"), "{}");
    await writeFile(
      join(runs, "bench", "status.json"),
      JSON.stringify({ time: "", rows: { done: 2, total: 9 }, jobs: [] }),
    );
    await writeFile(
      join(runs, "bench", "results.jsonl"),
      `${BENCH_ROWS.map((row) => JSON.stringify(row)).join("\n")}\n`,
    );
    const cached = join(await temporaryFolder(), "models--somebody--a-model", "snapshots", "a".repeat(40));
    await mkdir(cached, { recursive: true });
    await writeFile(join(cached, "model_index.json"), '{"_class_name": "StableDiffusionPipeline"}'.padEnd(2_500_000));
    process.env["HF_HUB_CACHE"] = join(cached, "..", "..", "..");
    server = await serve([runs]).finally(() => delete process.env["HF_HUB_CACHE"]);
  }, 60_000);
  afterAll(async () => {
    await server.stop();
    await browser.close();
  });
  let problems: string[] = [];
  beforeEach(async () => {
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await page.context().addCookies([{ ...server.cookie, url: server.url }]);
    problems = [];
    page.on("pageerror", ({ message }) => problems.push(message));
    page.on("console", (message) => {
      if (/Content.Security.Policy/i.test(message.text())) problems.push(message.text());
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(server.url) && !request.url().startsWith("blob:")) problems.push(request.url());
    });
  });
  afterEach(async () => {
    await page.close();
    // nothing was refused by the page's own policy, and nothing asked of another server
    expect(problems).toEqual([]);
  });

  async function open(name: string, tab = ""): Promise<void> {
    await page.goto(server.url);
    await page.getByRole("link", { name, exact: true }).click();
    await page.getByRole("heading", { level: 1, name: new RegExp(name) }).waitFor();
    if (tab !== "")
      await page.getByRole("navigation", { name: "Views of this run" }).getByRole("link", { name: tab }).click();
  }

  /** Goes to an address of the page; to that which compares, with the runs that are there from the beginning, and to the benchmark. */
  async function visit(place: string): Promise<void> {
    if (place === "#/bench/") {
      await page.goto(server.url);
      await page.getByRole("link", { name: "bench", exact: true }).click();
      await page.getByRole("heading", { name: "Likeness against obedience" }).waitFor();
      return;
    }
    if (place !== "#/compare/") {
      await page.goto(`${server.url}${place}`);
      return;
    }
    await page.goto(server.url);
    for (const name of ["made-up", "lora"])
      await page
        .locator(".card", { has: page.getByRole("link", { name, exact: true }) })
        .getByRole("checkbox")
        .check();
    await page.getByRole("link", { name: "Compare 2 runs" }).click();
    await page.getByRole("heading", { name: "Likeness against obedience" }).waitFor();
  }

  test("the first view takes less than 150 kB", async () => {
    const finished: Request[] = [];
    page.on("requestfinished", (request) => finished.push(request));
    await page.goto(server.url);
    await page.getByRole("link", { name: "lora", exact: true }).waitFor();
    // asked of those alone that have finished by now: a later one may have no page left to answer for it
    const sizes = await Promise.all(finished.map((request) => request.sizes()));
    expect(sizes.length).toBeGreaterThan(3);
    const all = sizes.map(({ responseBodySize }) => responseBodySize);
    expect(all.reduce((sum, each) => sum + each, 0)).toBeLessThan(150e3);
  });

  test("the slider chooses what rpo select chooses, for nine lambdas", async () => {
    await open("made-up", "Choose");
    const slider = page.locator("#lambda");
    const chosen = new Set<number>();
    for (let i = 1; i <= 9; i++) {
      const lambda = i / 10;
      await slider.fill(String(lambda));
      const shown = await page.locator(".figures dd").first().innerText();
      const { stdout } = await rpo(["select", join(runs, "made-up"), "--lambda", String(lambda), "--json"]);
      const { step } = JSON.parse(stdout) as { step: number };
      chosen.add(step);
      expect(`λ ${lambda}: ${shown}`).toBe(`λ ${lambda}: ${step === 0 ? "start" : `step ${step}`}`);
    }
    // else nothing was compared
    expect(chosen.size).toBeGreaterThan(2);
  });

  test("keeping what the reward chooses writes what rpo select writes; keeping by hand says who chose", async () => {
    await open("lora", "Choose");
    const best = async () =>
      JSON.parse(await readFile(join(runs, "lora", "best.json"), "utf8")) as Record<string, unknown>;
    await page.locator("#lambda").fill("0.9");
    await page.getByRole("button", { name: "Keep what the reward chooses" }).click();
    await page.getByText(/as rpo select chooses/).waitFor();
    const kept = await best();
    await rpo(["select", join(runs, "lora"), "--lambda", "0.9"]);
    expect(kept).toEqual(await best());
    await page.getByRole("button", { name: "previous validation" }).click();
    await page.getByRole("button", { name: /^Keep this one/ }).click();
    await page.getByText(/kept by hand\./).waitFor();
    const own = await best();
    expect(own).toMatchObject({ chosenBy: "person", lambda: 0.9 });
    expect(Object.keys(own)).toEqual([...Object.keys(kept), "chosenBy"]);
  });

  test("blind votes are asked without scores, and kept in the run's folder", async () => {
    await open("lora", "Choose");
    await page.getByRole("button", { name: /^Begin/ }).click();
    const blind = page.locator(".blind");
    await blind.waitFor();
    expect(await blind.innerText()).not.toMatch(/step|\.\d{3}/);
    for (let i = 0; (await blind.count()) > 0 && i < 100; i++) {
      await blind.getByRole("button", { name: "take picture 1" }).click();
      await page.waitForTimeout(30);
    }
    await page.getByText("Your votes are in the run's folder.").waitFor();
    const { rounds } = JSON.parse(await readFile(join(runs, "lora", "votes.json"), "utf8")) as {
      rounds: { candidates: number[]; votes: { picture: number; step: number }[] }[];
    };
    expect(rounds.length).toBe(1);
    const prompts = new Set(rounds[0].votes.map(({ picture }) => picture));
    expect(prompts.size).toBe(rounds[0].votes.length);
    for (const { step } of rounds[0].votes) expect(rounds[0].candidates).toContain(step);
    await page.getByRole("columnheader", { name: "liked best" }).waitFor();
  });

  test("other checkpoints are deleted after a question, and never the one that is kept", async () => {
    await open("lora", "Choose");
    const steps = async () => (await readdir(join(runs, "lora", "checkpoints"))).sort();
    const before = await steps();
    const { checkpoint } = JSON.parse(await readFile(join(runs, "lora", "best.json"), "utf8")) as {
      checkpoint: string | null;
    };
    await page.getByRole("button", { name: "Mark all but the kept one" }).click();
    await page.getByRole("button", { name: /^Delete \d/ }).click();
    await page.getByRole("button", { name: "Leave them" }).click();
    expect(await steps()).toEqual(before);
    await page.getByRole("button", { name: /^Delete \d/ }).click();
    await page.getByRole("button", { name: "Delete them" }).click();
    await page.getByText(/are free again/).waitFor();
    expect(await steps()).toEqual(checkpoint === null ? [] : [checkpoint.replace("checkpoints/", "")]);
  });

  test("runs are compared on the same noises, and those of others are named", async () => {
    await cp(await makeRun({ validations: 4 }), join(runs, "twin"), { recursive: true });
    await cp(await makeRun({ validations: 4, seeds: 7 }), join(runs, "stranger"), { recursive: true });
    await page.goto(server.url);
    for (const name of ["made-up", "twin", "stranger"])
      await page
        .locator(".card", { has: page.getByRole("link", { name, exact: true }) })
        .getByRole("checkbox")
        .check();
    await page.getByRole("link", { name: "Compare 3 runs" }).click();
    await page.getByText(/stranger: other prompts or noises than made-up/).waitFor();
    expect(await page.locator(".grid tbody tr").count()).toBe(2);
    expect(await page.locator(".grid tbody tr").first().locator("img").count()).toBe(4);
    await page.getByLabel("step of twin").selectOption("10");
    await page.getByRole("columnheader", { name: "twin step 10" }).waitFor();
  });

  test("a benchmark's table is that of rpo bench report, as far as its rows are done", async () => {
    await visit("#/bench/");
    await page.getByRole("heading", { level: 1, name: "benchmark in bench" }).waitFor();
    await rpo(["bench", "report", join(runs, "bench")]);
    const written = (await readFile(join(runs, "bench", "table.md"), "utf8"))
      .split("\n")
      .filter((line) => /^\|(?! -)/.test(line)); // without the lines below heads
    const cells = (line: string) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.replace(/\s/g, "").replace(/^_|_$/g, ""));
    const shown = await page
      .locator(".bench tr")
      .evaluateAll((rows) =>
        rows.map((row) =>
          [...row.querySelectorAll("th, td")].map((cell) => (cell.textContent ?? "").replace(/\s/g, "")),
        ),
      );
    expect(shown).toEqual(written.map(cells));
    expect(shown.length).toBeGreaterThan(3);
    await page.goto(server.url);
    await page.getByText("2 of 9 rows").waitFor();
  });

  test("models that are in the cache are named with their size, and taken by a button", async () => {
    await page.goto(`${server.url}#/new`);
    await page.getByText("Models that are here already").click();
    await page.getByText("2.5 MB").waitFor();
    await page.getByRole("button", { name: "somebody/a-model" }).click();
    expect(await page.locator("[name=model]").inputValue()).toBe("somebody/a-model");
  });

  test("a run is put into the archive, and deleted from there by its name, but for files of others", async () => {
    await cp(await makeRun({ validations: 3 }), join(runs, "old"), { recursive: true });
    await writeFile(join(runs, "old", "images", "my notes.txt"), "mine");
    await page.goto(server.url);
    await page.getByRole("button", { name: "archive old" }).click();
    await page.getByText("old is in the archive").waitFor();
    await page.getByRole("button", { name: /^archive \(/ }).click();
    await page.getByRole("button", { name: "delete old …" }).click();
    const dialog = page.getByRole("dialog", { name: "Delete old" });
    await dialog.getByRole("textbox").fill("ol");
    expect(await dialog.getByRole("button", { name: "Delete it" }).isDisabled()).toBe(true);
    await dialog.getByRole("textbox").fill("old");
    await dialog.getByRole("button", { name: "Delete it" }).click();
    await page.getByText(/old is gone but for files that are not its own/).waitFor();
    const left = await readdir(join(runs, "old"), { recursive: true });
    expect(left.filter((name) => !name.startsWith("checkpoints")).sort()).toEqual(["images", "images/my notes.txt"]);
  });

  test("all of it is done by keyboard: a run, its steps and prompts, the large view, two steps", async () => {
    await page.goto(server.url);
    await page.getByRole("link", { name: "made-up", exact: true }).waitFor();
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press("Tab");
      if ((await page.evaluate(() => document.activeElement?.textContent)) === "made-up") break;
    }
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Pictures" }).waitFor();
    const at = () => page.locator(".cursor-step > span").innerText();
    expect(await at()).toMatch(/step 50/);
    await page.keyboard.press("ArrowLeft");
    expect(await at()).toMatch(/step 40/);
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press("Tab");
      if ((await page.evaluate(() => document.activeElement?.classList.contains("zoom"))) === true) break;
    }
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
    expect(await focused()).toBe("a dog on the beach, step 40: enlarge");
    await page.keyboard.press("ArrowDown");
    await expect.poll(focused).toBe("a red dog, step 40: enlarge");
    await page.keyboard.press("ArrowLeft");
    await expect.poll(focused).toBe("a red dog, step 30: enlarge");
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Large picture" });
    await dialog.waitFor();
    await page.keyboard.press("h");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("w");
    await dialog.getByRole("slider", { name: "wipe between step 30 and step 40" }).waitFor();
    await page.keyboard.press("+");
    const transform = () =>
      dialog
        .locator(".window img")
        .first()
        .evaluate((image) => (image as HTMLElement).style.transform);
    const zoomed = await transform();
    expect(zoomed).toMatch(/scale\(1\.5\)/);
    await page.keyboard.press("ArrowRight");
    expect(await transform()).toBe(zoomed);
    await page.keyboard.press("Escape");
    await expect.poll(() => dialog.isVisible()).toBe(false);
    expect(await at()).toMatch(/step 50/);
  });

  test("a click in a curve moves the cursor of pictures and curves alike", async () => {
    await open("made-up");
    const chart = page.locator("svg[data-steps]").first();
    await chart.scrollIntoViewIfNeeded();
    const box = await chart.boundingBox();
    if (box === null) throw new Error("no chart");
    // the middle of the axis, which goes from 60 to 442 of 460
    await page.mouse.click(box.x + (box.width * (60 + 191)) / 460, box.y + box.height / 2);
    await expect.poll(() => page.locator(".cursor-step > span").innerText()).toMatch(/step 25 pictures of step 20/);
    expect(await page.locator("svg[data-steps] .cursor").count()).toBe(await page.locator("svg[data-steps]").count());
    expect(await page.locator("col.at-cursor").count()).toBe(1);
  });

  describe.each(["light", "dark"] as const)("axe finds nothing serious, %s:", (colorScheme) => {
    test.each([
      ["runs", "#/"],
      ["a new run", "#/new"],
      ["the queue", "#/queue"],
      ["watching", "/run"],
      ["choosing", "/run/choose"],
      ["using", "/run/use"],
      ["about", "/run/about"],
      ["the large view", "/run/viewer"],
      ["comparing", "#/compare/"],
      ["a benchmark", "#/bench/"],
    ])("%s", async (_name, place) => {
      await page.emulateMedia({ colorScheme });
      if (place.startsWith("#")) await visit(place);
      else {
        await open("made-up");
        const tab = place.split("/")[2];
        if (tab === "viewer") await page.locator(".zoom").first().click();
        else if (tab !== undefined) await page.evaluate((each) => (location.hash += `/${each}`), tab);
      }
      await page.waitForTimeout(600);
      await page.evaluate(axe);
      const violations = await page.evaluate(async () => {
        const { violations: found } = await (
          globalThis as unknown as {
            axe: {
              run(): Promise<{
                violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
              }>;
            };
          }
        ).axe.run();
        return found
          .filter(({ impact }) => impact === "serious" || impact === "critical")
          .map(
            ({ id, nodes }) =>
              `${id}: ${nodes
                .map(({ html, failureSummary }) => `${html} ${failureSummary}`)
                .join("; ")
                .slice(0, 600)}`,
          );
      });
      expect(violations).toEqual([]);
    });
  });

  test.each(["#/", "#/new", "#/queue", "#/compare/", "#/bench/", "", "/choose", "/use", "/about"])(
    "360 pixels are wide enough for %j",
    async (place) => {
      await page.setViewportSize({ width: 360, height: 740 });
      if (place.startsWith("#")) await visit(place);
      else {
        await open("made-up");
        await page.evaluate((each) => (location.hash += each), place);
      }
      await page.waitForTimeout(500);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    },
  );

  test("what prompts and class words hold is text", async () => {
    const evil = `<img src=x onerror="globalThis.hacked=1"><script>globalThis.hacked=1</script>`;
    await cp(await makeRun({ class: evil, prompts: [`a ${evil}`, "{{constructor}}"] }), join(runs, "evil"), {
      recursive: true,
    });
    await mkdir(join(runs, `<b>&'"`), { recursive: true });
    await cp(join(runs, "evil"), join(runs, `<b>&'"`, "evil2"), { recursive: true });
    for (const tab of ["", "Choose", "About"]) {
      await open("evil", tab);
      await page.waitForTimeout(400);
      expect(await page.evaluate(() => (globalThis as { hacked?: number }).hacked)).toBeUndefined();
      expect(await page.locator('img[src="x"]').count()).toBe(0);
    }
    await page.goto(server.url);
    await page.getByRole("link", { name: `<b>&'"/evil2`, exact: true }).waitFor();
  });

  test("an event that is written is on the screen within 300 ms, and a run that was cut back is shown as it is", async () => {
    const run = join(runs, "growing");
    await cp(await makeRun({ validations: 3 }), run, { recursive: true });
    const log = join(run, "events.jsonl");
    await open("growing");
    const value = page.locator(".facts dd").first();
    await expect.poll(() => value.innerText()).toMatch(/^20 of/);
    const waits: number[] = [];
    const line = (step: number) =>
      `${JSON.stringify({ type: "step", step, curves: { loss: 0.5, sim: 0.1 }, gradNorm: 1, seconds: 0.1 })}\n`;
    for (let step = 21; step <= 40; step++) {
      const shown = page.waitForFunction(
        (text) => document.querySelector(".facts dd")?.textContent?.startsWith(text),
        `${step} of`,
        {
          polling: "raf",
        },
      );
      await page.waitForTimeout(37 * (step % 5));
      const begun = performance.now();
      await appendFile(log, line(step));
      await shown;
      waits.push(performance.now() - begun);
    }
    waits.sort((a, b) => a - b);
    process.stderr.write(`a written event is on the screen after ${waits.map(Math.round).join(", ")} ms\n`);
    // the machine that tests is busy with other things: the median, and most of them
    expect(waits[10]).toBeLessThan(300);
    const lines = (await readFile(log, "utf8")).split("\n");
    await writeFile(log, `${lines.slice(0, -11).join("\n")}\n`);
    await expect.poll(() => value.innerText()).toMatch(/^30 of/);
    await page.reload();
    await expect.poll(() => value.innerText()).toMatch(/^30 of/);
  });

  test("100,000 events and 100 validations open in little more than a second, and the cursor stays fluid", async () => {
    const run = join(runs, "long");
    await cp(await makeRun({ validations: 101 }), run, { recursive: true });
    const first = (await readFile(join(run, "events.jsonl"), "utf8")).trim().split("\n");
    const more = Array.from({ length: 99_000 }, (_, i) =>
      JSON.stringify({
        type: "step",
        step: 1001 + i,
        curves: { loss: 0.8, sim: 0.1 + (i % 17) / 100, pref: 0.7, margin: 0.01, label: 1 },
        gradNorm: 1,
        seconds: 0.1,
      }),
    );
    await writeFile(join(run, "events.jsonl"), `${[...first, ...more].join("\n")}\n`);
    expect((await stat(join(run, "events.jsonl"))).size).toBeGreaterThan(1e7);
    const config = JSON.parse(await readFile(join(run, "config.json"), "utf8")) as Record<string, unknown>;
    await writeFile(join(run, "config.json"), JSON.stringify({ ...config, steps: 100_000 }));
    await page.goto(server.url);
    await page.getByRole("link", { name: "long", exact: true }).waitFor();
    const begun = performance.now();
    await page.getByRole("link", { name: "long", exact: true }).click();
    await page.getByRole("heading", { name: "Pictures" }).waitFor();
    await page.locator("svg[data-steps]").nth(3).waitFor();
    const seconds = (performance.now() - begun) / 1000;
    const moves = performance.now();
    for (let i = 0; i < 20; i++) await page.keyboard.press("ArrowLeft");
    const move = (performance.now() - moves) / 20;
    process.stderr.write(
      `100,000 events open in ${seconds.toFixed(2)} s; a move of the cursor takes ${move.toFixed(0)} ms\n`,
    );
    expect(seconds).toBeLessThan(4);
    expect(move).toBeLessThan(200);
  });
});
