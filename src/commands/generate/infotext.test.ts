import { describe, expect, test } from "vitest";
import { infotext, parseInfotext } from "./infotext.ts";
import type { PictureRecord } from "./record-schema.ts";

const hash = "0".repeat(64);
const record: PictureRecord = {
  version: "1.2.3",
  prompt: "a [V] dog (on the Moon)",
  negative: "blurry, grey",
  seed: 7,
  sampler: "dpm",
  steps: 20,
  guidance: 7.5,
  height: 512,
  width: 768,
  model: { name: "v1-5.safetensors", hash },
  adapter: { name: "dog-1-000080", hash },
  loras: [{ name: "style.safetensors", hash, weight: 0.6 }],
  embeddings: [],
  machine: { threads: 2, engine: "ONNX Runtime 1", platform: "linux x64" },
  batch: { pictures: [{ prompt: "a [V] dog (on the Moon)", seed: 7 }], at: 0 },
};

test("a record is written as A1111's web UI writes it: brackets that are no weights are escaped, LoRAs are called in the prompt", () => {
  expect(infotext(record)).toBe(
    [
      "a \\[V\\] dog \\(on the Moon\\) <lora:dog-1-000080:1> <lora:style:0.6>",
      "Negative prompt: blurry, grey",
      "Steps: 20, Sampler: DPM++ 2M, Schedule type: Uniform, CFG scale: 7.5, Seed: 7, Size: 768x512, Model: v1-5, Version: rpo 1.2.3",
    ].join("\n"),
  );
  expect(infotext({ ...record, promptWeights: true })).toContain("a [V] dog (on the Moon)");
  expect(infotext({ ...record, model: { name: "a, b: c", hash } })).toContain('Model: "a, b: c"');
});

test("the photo that was drawn with is named, with what it and the prompt counted", () => {
  const encoder = { name: "tiny", hash };
  const photo = { name: "my room.png", hash, weight: 1, textWeight: 0.5, encoder };
  const text = infotext({ ...record, photo });
  expect(text).toContain("Model: v1-5, Photo: my room.png, Photo weight: 1, Text weight: 0.5, Version");
  expect(parseInfotext(text)?.others).toEqual(expect.arrayContaining(["Photo: my room.png", "Text weight: 0.5"]));
});

describe("what that program writes is read:", () => {
  // the example in its own source
  const own = `girl with an artist's beret, determined, blue eyes, ((eyeshadow)), (coquettish)
Negative prompt: ugly, fat, [blurry], bad anatomy
Steps: 20, Sampler: Euler, CFG scale: 7, Seed: 965400086, Size: 512x768, Model hash: 45dee52b, Model: "a, b"`;

  test("prompts, settings by their names here, the model, and what is left", () => {
    expect(parseInfotext(own)).toEqual({
      prompt: "girl with an artist's beret, determined, blue eyes, ((eyeshadow)), (coquettish)",
      negative: "ugly, fat, [blurry], bad anatomy",
      values: { steps: "20", guidance: "7", seed: "965400086", sampler: "euler", width: "512", height: "768" },
      model: "a, b",
      others: ["Model hash: 45dee52b"],
    });
  });

  test("prompts of several lines, and a sampler that is not here among what is left", () => {
    const { prompt, negative, values, others } =
      parseInfotext("a\nb\nNegative prompt: c\nd\nSteps: 1, Sampler: Euler a, CFG scale: 2, Seed: 3") ?? {};
    expect([prompt, negative, values, others]).toEqual([
      "a\nb",
      "c\nd",
      { steps: "1", guidance: "2", seed: "3" },
      ["Sampler: Euler a"],
    ]);
  });

  test("a schedule within the sampler's name, as until version 1.8, is among what is left", () => {
    const { values, others } =
      parseInfotext("a\nSteps: 1, Sampler: DPM++ 2M Karras, CFG scale: 2, Seed: 3, Clip skip: 2") ?? {};
    expect(values).toMatchObject({ sampler: "dpm" });
    expect(others).toEqual(["Clip skip: 2", "Schedule type: Karras"]);
  });

  test("what was written here", () => {
    const { prompt, negative, values } = parseInfotext(infotext(record)) ?? {};
    expect(prompt).toContain("dog");
    expect(negative).toBe("blurry, grey");
    expect(values).toMatchObject({ steps: "20", seed: "7", sampler: "dpm", width: "768", height: "512" });
  });

  test("a text without a line of settings is none, and neither is one that is long without end", () => {
    expect(parseInfotext("a dog")).toBeUndefined();
    expect(parseInfotext('a: "'.repeat(100_000))).toBeUndefined();
    const started = performance.now();
    parseInfotext('a: "\\'.repeat(4000));
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
