import { harmonicReward } from "../../reward/reward.ts";
import { bestStep } from "../../reward/choice.ts";
import { liveParts } from "../sections/live.ts";
import { short } from "../sections/pictures.ts";
import type { LiveData } from "../view.ts";

/** The script of a report's page: the slider, the viewer, the theme. The page shows everything without it too, at the run's own lambda. */

const data = JSON.parse(document.getElementById("data")?.textContent ?? "") as LiveData;

const find = <E extends Element>(selector: string): E | undefined => document.querySelector<E>(selector) ?? undefined;
const findAll = <E extends Element>(selector: string): E[] => [...document.querySelectorAll<E>(selector)];

const pictureOf = (step: number, index: number): string | undefined =>
  find<HTMLImageElement>(`.cell[data-step="${step}"][data-index="${index}"] img`)?.src;

/** Judges everything again at `lambda`. */
function show(lambda: number): void {
  const parts = liveParts(data, lambda, pictureOf);
  for (const [part, markup] of Object.entries(parts ?? {})) {
    const element = document.getElementById(`live-${part}`);
    if (element !== null) element.innerHTML = markup.text;
  }
  const slider = find<HTMLInputElement>("#lambda");
  if (slider !== undefined) slider.value = String(lambda);
  const output = find("#lambda-value");
  if (output !== undefined) output.textContent = lambda.toFixed(2);
  for (const cell of findAll<HTMLElement>(".cell")) {
    const score = { alignI: Number(cell.dataset["i"]), alignT: Number(cell.dataset["t"]) };
    const reward = cell.querySelector(".reward");
    if (reward !== null) reward.textContent = short(harmonicReward(score, lambda));
  }
  markChosen(bestStep(data.validations, lambda, data.scale)?.step);
}

/** Marks the chosen step's column of the grid. */
function markChosen(step: number | undefined): void {
  for (const cell of findAll<HTMLElement>(".grid [data-step]:not(.cell)"))
    cell.classList.toggle("chosen", cell.dataset["step"] === String(step));
}

function prepareSlider(): void {
  const slider = find<HTMLInputElement>("#lambda");
  if (slider === undefined) return;
  find(".slider")?.removeAttribute("hidden");
  slider.addEventListener("input", () => show(Number(slider.value)));
  document.getElementById("live-ranges")?.addEventListener("click", ({ target }) => {
    const lambda = (target as Element).closest<HTMLElement>("[data-lambda]")?.dataset["lambda"];
    if (lambda === undefined) return;
    show(Number(lambda));
    find<HTMLElement>('.range[aria-pressed="true"]')?.focus();
  });
  show(data.lambda);
}

/** The pictures of a prompt one by one, large; arrow keys go through the steps. */
function prepareViewer(): void {
  const viewer = find<HTMLDialogElement>("#viewer");
  if (viewer === undefined) return;
  // markup has no picture without a source
  viewer.querySelector("figure")?.prepend(document.createElement("img"));
  let row: HTMLElement[] = [];
  let current = 0;
  const display = (index: number) => {
    if (index < 0 || index >= row.length) return;
    current = index;
    const button = row[index];
    const image = button.querySelector("img");
    const [large, title, detail] = ["img", "b", "span"].map((selector) => viewer.querySelector(`figure ${selector}`));
    if (image === null || !(large instanceof HTMLImageElement) || title === null || detail === null) return;
    large.src = image.src;
    large.alt = image.alt;
    large.className = image.className;
    title.textContent = button.dataset["caption"] ?? "";
    detail.textContent = button.dataset["detail"] ?? "";
  };
  document.addEventListener("click", ({ target }) => {
    const button = (target as Element).closest<HTMLElement>(".zoom");
    if (button === null) return;
    const index = button.closest<HTMLElement>(".cell")?.dataset["index"] ?? "";
    row = findAll<HTMLElement>(`.cell[data-index="${index}"] .zoom`);
    display(row.indexOf(button));
    viewer.showModal();
  });
  viewer.addEventListener("keydown", ({ key }) => {
    if (key === "ArrowLeft") display(current - 1);
    if (key === "ArrowRight") display(current + 1);
  });
  viewer.addEventListener("click", ({ target }) => {
    if (target === viewer) viewer.close();
  });
  document.getElementById("previous")?.addEventListener("click", () => display(current - 1));
  document.getElementById("next")?.addEventListener("click", () => display(current + 1));
}

function prepareTheme(): void {
  const button = find<HTMLButtonElement>("#theme");
  if (button === undefined) return;
  const themes = ["system", "light", "dark"] as const;
  let theme = 0;
  button.hidden = false;
  button.addEventListener("click", () => {
    theme = (theme + 1) % themes.length;
    document.documentElement.dataset["theme"] = themes[theme];
    button.textContent = theme === 0 ? "theme: system" : `theme: ${themes[theme]}`;
  });
}

/** What is folded on the screen is open on paper. */
function prepareForPrint(): void {
  window.addEventListener("beforeprint", () => {
    for (const details of findAll<HTMLDetailsElement>("details")) details.open = true;
  });
}

prepareSlider();
prepareForPrint();
prepareViewer();
prepareTheme();
