import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { packagePath } from "../../system/package.ts";

/** What is shown in each picture, and how one comes there by hand. */

/** The address of a run by its name. */
export type Runs = (name: string) => string;

interface Shown {
  readonly url: string;
  readonly runs: Runs;
}

interface View {
  readonly name: string;
  /** In pixels; of what is kept whole, of the window. */
  readonly height: number;
  /** Default: 1200 pixels. */
  readonly width?: number;
  readonly scheme?: "light" | "dark";
  /** @returns "all" where more than the window is kept */
  readonly show: (page: Page, shown: Shown) => Promise<"all" | "window">;
}

const DEMO = "backpack";
const SUBJECT = "teapot";

const goTo = async (page: Page, url: string, hash: string): Promise<void> => {
  await page.goto(`${url}/${hash}`);
  await page.locator("main h1").waitFor();
  await page.waitForTimeout(1500);
};

const atRun =
  (view: string) =>
  (page: Page, { url, runs }: Shown): Promise<void> =>
    goTo(page, url, `#/run/${runs(DEMO)}${view}`);

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

/** Scrolls to an element, below what sticks to the window's top. @param element an expression of the page */
async function bringUp(page: Page, element: string): Promise<void> {
  await page.evaluate(`${element}.scrollIntoView()`);
  await page.mouse.wheel(0, -80);
}

/** Goes back from the last step to one of the best. */
async function stepBack(page: Page, steps: number): Promise<void> {
  for (let i = 0; i < steps; i++) await button(page, "previous validation").click();
}

/** Takes a subject's photos and fills the form in. */
async function fillForm(page: Page, { url }: Shown, steps: number): Promise<void> {
  await goTo(page, url, "#/new");
  const folder = packagePath("models", "tiny", "subjects", SUBJECT);
  const photos = (await readdir(folder)).filter((name) => name.endsWith(".png")).map((name) => join(folder, name));
  await page.locator("input[type=file]").setInputFiles(photos);
  await page
    .locator(".picked img")
    .nth(photos.length - 1)
    .waitFor();
  await page.locator("[name=class]").fill(SUBJECT);
  await page.locator("[name=steps]").fill(String(steps));
}

export const VIEWS: readonly View[] = [
  {
    name: "new",
    height: 1000,
    async show(page, shown) {
      await fillForm(page, shown, 240);
      await button(page, "Check").click();
      await page.getByText("Ready:").waitFor();
      await button(page, "Measure the cost").click();
      await page.getByText(/240 steps of/).waitFor();
      return "all";
    },
  },
  {
    name: "live",
    height: 900,
    async show(page, shown) {
      await fillForm(page, shown, 60);
      await page.locator("summary", { hasText: "Validation" }).click();
      await page.locator("[name=validateEvery]").fill("20");
      await page.locator("[name=validationImages]").fill("1");
      await button(page, "Start").click();
      await page.getByRole("link", { name: new RegExp(`train ${SUBJECT}`) }).click();
      await page.getByRole("button", { name: "step 20", exact: true }).waitFor();
      await button(page, "Validate now").click();
      await page.getByRole("button", { name: /extra/ }).waitFor();
      await button(page, "close").click();
      return "window";
    },
  },
  {
    name: "queue",
    height: 520,
    async show(page, shown) {
      await goTo(page, shown.url, "#/queue");
      await button(page, "pause").click();
      for (const steps of [120, 240]) {
        await fillForm(page, shown, steps);
        await button(page, "Start").click();
        await page.waitForTimeout(2000);
      }
      await goTo(page, shown.url, "#/queue");
      return "window";
    },
  },
  {
    name: "runs",
    height: 820,
    async show(page, { url }) {
      await goTo(page, url, "#/");
      await page.getByRole("checkbox").first().waitFor();
      return "window";
    },
  },
  ...(["light", "dark"] as const).map((scheme): View => ({
    name: scheme === "light" ? "watch" : "watch-dark",
    height: 900,
    scheme,
    async show(page, shown) {
      await atRun("")(page, shown);
      await stepBack(page, 2);
      return "window";
    },
  })),
  {
    name: "curves",
    height: 860,
    async show(page, shown) {
      await atRun("")(page, shown);
      await stepBack(page, 2);
      await bringUp(page, `[...document.querySelectorAll("h2")].find((h) => h.textContent === "Curves")`);
      return "window";
    },
  },
  {
    name: "large",
    height: 860,
    async show(page, shown) {
      await atRun("")(page, shown);
      await page.locator(".zoom").nth(11).click();
      await page.waitForTimeout(500);
      await page.keyboard.press("w");
      return "window";
    },
  },
  {
    name: "choose",
    height: 1000,
    scheme: "dark",
    async show(page, shown) {
      await atRun("/choose")(page, shown);
      await page.locator("#choice").waitFor();
      await stepBack(page, 2);
      await bringUp(page, `document.querySelector("#choice")`);
      return "window";
    },
  },
  {
    name: "blind",
    height: 760,
    async show(page, shown) {
      await atRun("/choose")(page, shown);
      await page.locator("#choice").waitFor();
      await page.getByRole("button", { name: /^Begin: / }).click();
      await bringUp(page, `document.querySelector("#blind-title")`);
      return "window";
    },
  },
  {
    name: "use",
    height: 900,
    async show(page, shown) {
      await atRun("/use")(page, shown);
      await button(page, "Draw").click();
      await page.locator(".tried img").nth(3).waitFor();
      return "all";
    },
  },
  {
    name: "compare",
    height: 1000,
    width: 1300,
    async show(page, { url, runs }) {
      await goTo(page, url, `#/compare/${runs(DEMO)},${runs(`${DEMO}/photos-alone`)}`);
      return "window";
    },
  },
  {
    name: "phone",
    height: 760,
    width: 360,
    scheme: "dark",
    async show(page, shown) {
      await atRun("")(page, shown);
      return "window";
    },
  },
];
