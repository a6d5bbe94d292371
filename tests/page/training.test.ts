import { readFile } from "node:fs/promises";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePhotos, temporaryFolder } from "../run/cli.ts";
import { CHROMIUM, launch, serve, type Served } from "./server.ts";

/** For what is there in a moment, on a machine that is busy. */
const SOON = { timeout: 20_000 };

/** A whole run of the embedded model, from dropped photos to files for other programs, with the server started anew in its midst. */
describe.skipIf(CHROMIUM === undefined)("from photos to a LoRA, in a browser", () => {
  let browser: Browser;
  let runs: string;
  let server: Served;
  let page: Page;

  beforeAll(async () => {
    browser = await launch();
    runs = await temporaryFolder();
    server = await serve([runs]);
    page = await browser.newPage({ viewport: { width: 1280, height: 900 }, acceptDownloads: true });
    page.setDefaultTimeout(15_000);
  }, 60_000);
  afterAll(async () => {
    await server.stop();
    await browser.close();
  });

  const status = () => page.locator(".phase .status").innerText();
  const step = async () => Number((await page.locator(".facts dd").first().innerText()).split(" ")[0]);

  test("photos are dropped, shown as they are trained, checked and measured, and the run begins", async () => {
    await page.goto(server.printed);
    await page.getByRole("link", { name: "New run" }).click();
    const photos = await makePhotos();
    await page.locator("input[type=file]").setInputFiles(readdirSync(photos).map((name) => join(photos, name)));
    await expect.poll(() => page.locator(".picked img").count(), SOON).toBe(3);
    await page.locator("[name=class]").fill("teapot");
    await page.locator("[name=adapter]").selectOption("lora");
    for (const title of ["Validation", "The method"]) await page.locator("summary", { hasText: title }).click();
    const settings = { steps: 60, validateEvery: 30, validationImages: 1, validationSteps: 2, negatives: 1 };
    for (const [name, value] of Object.entries(settings)) await page.locator(`[name=${name}]`).fill(String(value));
    await page.locator("[name=lambda]").fill("7");
    await page.getByRole("button", { name: "Check" }).click();
    await page
      .getByRole("alert")
      .getByText(/--lambda "7": expected a number from 0 to 1/)
      .waitFor();
    await page.locator("[name=lambda]").fill("0.6");
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByText("Ready: 3 photos, at most 60 steps, on cpu.").waitFor();
    await page.getByText("a [V] teapot on the Moon").waitFor();
    await page.getByRole("button", { name: "Measure the cost" }).click();
    await page.getByText(/60 steps of .* pictures to draw: at most/).waitFor({ timeout: 60_000 });
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByRole("link", { name: "train teapot-1" }).click({ timeout: 60_000 });
    await expect.poll(step, { timeout: 120_000 }).toBeGreaterThan(2);
  }, 240_000);

  test("a reload and a new server find it where it is, and it goes on meanwhile", async () => {
    await page.reload();
    await expect.poll(status, SOON).toMatch(/training|validating/);
    const before = await step();
    const { port } = new URL(server.url);
    await server.stop();
    await page.getByText(/The server does not answer/).waitFor({ timeout: 20_000 });
    server = await serve([runs], "--port", port);
    const address = page.url();
    await page.getByText(/This page's token was another server's/).waitFor({ timeout: 30_000 });
    await page.goto(server.printed);
    await page.getByRole("heading", { level: 1, name: "Runs" }).waitFor();
    await page.goto(address);
    expect(await step()).toBeGreaterThanOrEqual(before);
  }, 120_000);

  test("it validates when it is asked to, and says of such a validation that it is extra", async () => {
    const columns = page.locator(".grid button.column");
    const before = await columns.count();
    await page.getByRole("button", { name: "Validate now" }).click();
    await expect.poll(() => columns.count(), { timeout: 60_000 }).toBeGreaterThan(before);
    for (const name of await columns.allInnerTexts())
      expect(name.includes("extra"), name).toBe(Number(/\d+/.exec(name)?.[0] ?? 0) % 30 > 0);
  }, 120_000);

  test("it stops when it is asked to, and goes on from there to its end", async () => {
    if (await page.getByRole("button", { name: "Stop now" }).isVisible()) {
      await page.getByRole("button", { name: "Stop now" }).click();
      await expect.poll(status, { timeout: 60_000 }).toMatch(/stopped at step \d+/);
      const stopped = await step();
      await page.getByRole("button", { name: "Go on" }).click();
      await expect.poll(step, { timeout: 120_000 }).toBeGreaterThan(stopped);
    }
    await expect.poll(status, { timeout: 240_000 }).toMatch(/all \d+ steps are done|no longer rose/);
    // the log says so before the process has ended
    const headers = { cookie: `${server.cookie.name}=${server.cookie.value}` };
    const last = async () => {
      const answer = await fetch(`${server.url}api/queue`, { headers });
      return ((await answer.json()) as { jobs: { state: string }[] }).jobs.at(-1)?.state;
    };
    await expect.poll(last, SOON).toBe("done");
  }, 420_000);

  test("it is given more steps, and takes them", async () => {
    // where the reward no longer rose there are none to be had
    if (!/all \d+ steps/.test(await status())) return;
    await page.getByLabel("more steps").fill("5");
    await page.getByRole("button", { name: "Train on" }).click();
    await expect.poll(status, { timeout: 120_000 }).toMatch(/all 65 steps are done/);
  }, 180_000);

  test("a checkpoint is kept, drawn with beside the starting model, and downloaded for other programs", async () => {
    await page.getByRole("link", { name: "Choose" }).click();
    await page.getByRole("button", { name: /^Keep this one/ }).click();
    await page.getByText(/kept by hand\./).waitFor();
    await page.getByRole("link", { name: "Use", exact: true }).click();
    await page.getByRole("button", { name: "Draw" }).click();
    await expect.poll(() => page.locator(".tried img").count(), { timeout: 120_000 }).toBe(4);
    const sources = await page
      .locator(".tried img")
      .evaluateAll((images) => images.map((image) => (image as HTMLImageElement).naturalWidth));
    expect(sources).toEqual([64, 64, 64, 64]);
    const take = async (name: RegExp): Promise<Buffer> => {
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name }).click()]);
      return readFile(await download.path());
    };
    const kohya = await take(/ComfyUI/);
    const header = JSON.parse(kohya.subarray(8, 8 + Number(kohya.readBigUInt64LE(0))).toString()) as Record<
      string,
      unknown
    >;
    expect(Object.keys(header).some((key) => key.startsWith("lora_unet_") && key.endsWith("lora_down.weight"))).toBe(
      true,
    );
    const best = JSON.parse(await readFile(join(runs, "teapot-1", "best.json"), "utf8")) as { checkpoint: string };
    const own = await readFile(join(runs, "teapot-1", best.checkpoint, "adapter_model.safetensors"));
    expect((await take(/adapter_model/)).equals(own)).toBe(true);
    expect(JSON.parse((await take(/adapter_config/)).toString())).toMatchObject({ peft_type: "LORA" });
    expect((await take(/The report/)).toString()).toMatch(/teapot/);
  }, 240_000);
});
