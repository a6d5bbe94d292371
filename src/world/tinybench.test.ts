import { expect, test } from "vitest";
import { INSTANCE_SEEDS } from "./instance.ts";
import { trainingPrompts } from "./prompts.ts";
import { isLive } from "./scene.ts";
import { PHOTOS_OF_A_SUBJECT, photoScenes } from "./subjects.ts";
import { TINYBENCH, tinybenchPrompts } from "./tinybench.ts";

test("at least ten subjects, each of its own class, that no model was pretrained on", () => {
  expect(TINYBENCH.length).toBeGreaterThanOrEqual(10);
  expect(new Set(TINYBENCH.map(({ className }) => className)).size).toBe(TINYBENCH.length);
  const { first, count } = INSTANCE_SEEDS.heldOut;
  for (const subject of TINYBENCH) {
    expect(subject.seed - first).toBeGreaterThanOrEqual(0);
    expect(subject.seed - first).toBeLessThan(count);
    expect(photoScenes(subject)).toHaveLength(PHOTOS_OF_A_SUBJECT);
  }
});

test("25 different prompts each, none of which is trained on", () => {
  for (const subject of TINYBENCH) {
    const prompts = tinybenchPrompts(subject);
    expect(new Set(prompts).size).toBe(25);
    for (const { text } of trainingPrompts(isLive(subject.className) ? "live" : "object"))
      expect(prompts).not.toContain(text);
    for (const prompt of prompts) expect(prompt).toMatch(/\{token\}.*\{class\}/);
  }
});
