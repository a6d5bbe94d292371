import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { findSamples, type SampleSets } from "./find.ts";
import { promptInPng } from "./png-text.ts";
import { samplePrompts } from "./prompts.ts";

async function folderWith(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rpo-samples-"));
  for (const [file, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), content);
  }
  return folder;
}
async function setsIn(folder: string): Promise<SampleSets> {
  const found = await findSamples(folder);
  if (found === undefined) throw new Error(`no pictures in ${folder}`);
  return found;
}
const words = { token: "ohwx", class: "dog" };

test("pictures are put together by step and prompt, the newest of each; a step that lacks some is told", async () => {
  const folder = await folderWith({
    "dog_000100_00_20260301100000.png": "",
    "dog_000100_01_20260301100001.png": "",
    "dog_000100_00_20260302100000.png": "",
    "dog_000200_00_20260302100500.png": "",
    "dog_000200_01_20260302100501.png": "",
    "dog_000300_00_20260302100900.png": "",
    "grid.png": "",
  });
  const { sets, partial, prompts, each } = await setsIn(folder);
  expect(sets.map(({ step }) => step)).toEqual([100, 200]);
  expect(sets[0].pictures.map(({ path }) => path.slice(folder.length + 1))).toEqual([
    "dog_000100_00_20260302100000.png",
    "dog_000100_01_20260301100001.png",
  ]);
  expect([partial.map(({ step }) => step), prompts, each]).toEqual([[300], ["0", "1"], 1]);
  await expect(findSamples(await folderWith({ "a.png": "" }))).rejects.toThrow("no pictures there that are named");
});

test("the prompts are those that most pictures have: neither one being drawn nor a late prompt takes the others away", async () => {
  const stepsOf = async (...names: readonly string[]) => {
    const sets = await setsIn(await folderWith(Object.fromEntries(names.map((name) => [`0__0000000${name}.png`, ""]))));
    return [sets.prompts.length, sets.sets.map(({ step }) => step)];
  };
  expect(await stepsOf("00_0")).toEqual([1, [0]]);
  expect(await stepsOf("00_0", "00_1", "00_2", "10_0")).toEqual([3, [0]]);
  expect(await stepsOf("00_0", "10_0", "10_1", "10_2")).toEqual([3, [10]]);
  const four = ["00", "10", "20"].flatMap((step) => [0, 1].map((prompt) => `${step}_${prompt}`));
  expect(await stepsOf(...four, "30_0", "30_1", "30_2")).toEqual([2, [0, 10, 20, 30]]);
  // though more pictures could be of the first three
  const begun = ["00_0", "00_1", "00_2", "00_3", "10_0", "10_1", "10_2"];
  expect(await stepsOf(...begun)).toEqual([4, [0]]);
  // prompts that were taken out
  expect(await stepsOf(...begun, "20_0", "20_1", "20_2", "30_0", "30_1", "30_2")).toEqual([3, [0, 10, 20, 30]]);
});

test("prompts of which one has more pictures so far are no whole step", async () => {
  const folder = await folderWith({
    "step_100_moon_0_64x64.png": "",
    "step_100_moon_1_64x64.png": "",
    "step_100_pool_0_64x64.png": "",
  });
  await expect(findSamples(folder)).rejects.toThrow("different numbers of pictures");
  expect(await findSamples(folder, { mayCome: true })).toBeUndefined();
  expect(await findSamples(join(folder, "later"), { mayCome: true })).toBeUndefined();
});

test("sd-scripts' file of prompts is read without its options, and the identifier is not for the reward", async () => {
  const samples = await folderWith({ "0__000000100_0.png": "", "0__000000100_1.png": "" });
  const prompts = join(
    await folderWith({
      "p.txt": "# mine\nohwx dog on the Moon --n ugly --w 512 --d 42\n\na {token} {class}, running\n",
    }),
    "p.txt",
  );
  expect(await samplePrompts(await setsIn(samples), { samples, prompts, ...words })).toEqual([
    { text: "ohwx dog on the Moon", rewardText: "dog on the Moon", likeness: true },
    { text: "a ohwx dog, running", rewardText: "a dog, running", likeness: true },
  ]);
});

test("prompts by the trainer's own names, and lists of objects, come from JSON", async () => {
  const samples = await folderWith({ "step_100_moon_0_64x64.png": "", "step_100_pool_0_64x64.png": "" });
  const at = async (content: unknown) => join(await folderWith({ "p.json": JSON.stringify(content) }), "p.json");
  const texts = async (content: unknown) =>
    (await samplePrompts(await setsIn(samples), { samples, prompts: await at(content), ...words })).map(
      ({ text }) => text,
    );
  expect(await texts({ pool: "in a pool", moon: { prompt: "on the Moon" } })).toEqual(["on the Moon", "in a pool"]);
  expect(await texts([{ prompt: "first" }, "second"])).toEqual(["first", "second"]);
  await expect(texts({ pool: "in a pool" })).rejects.toThrow("no prompt moon in it");
});

/** A PNG of these chunks, which need hold no picture and no sums. */
function png(...chunks: readonly (readonly [type: string, data: string])[]): Buffer {
  const parts = chunks.map(([type, data]) => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), Buffer.from(data, "utf8")]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(body.length - 4, 0);
    body.copy(out, 4);
    return out;
  });
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), ...parts]);
}

test("without a file a prompt is what lies beside the picture, is written in it, or names its folder", async () => {
  const moon = "2026-03-01_10-20-30-training-sample-75-1-25.png";
  const samples = await folderWith({
    [`0 - ohwx dog on the Moon/${moon}`]: png(["IDAT", ""]),
    [`1 - ohwx dog in the sno/${moon}`]: png(["tEXt", "parameters\0ohwx dog in the snow\nSteps: 20"], ["IDAT", ""]),
    [`2 - ohwx dog/${moon}`]: "",
    [`2 - ohwx dog/${moon.replace(".png", ".txt")}`]: "ohwx dog in a pool",
  });
  const prompts = await samplePrompts(await setsIn(samples), { samples, ...words });
  expect(prompts.map(({ rewardText }) => rewardText)).toEqual(["dog on the Moon", "dog in the snow", "dog in a pool"]);
  const unknown = await folderWith({ "0__000000100_0.png": png(["IDAT", ""]) });
  await expect(samplePrompts(await setsIn(unknown), { samples: unknown, ...words })).rejects.toThrow(
    "nothing says what prompt 0 is",
  );
});

test("texts of PNGs are read as they are meant, and damaged ones are none", async () => {
  const at = async (bytes: Buffer) => promptInPng(join(await folderWith({ "a.png": bytes }), "a.png"));
  expect(await at(png(["iTXt", "parameters\0\0\0\0\0ein Hündchen"]))).toBe("ein Hündchen");
  expect(await at(png(["tEXt", 'prompt\0{"3": {}}'], ["tEXt", "Description\0a dog"]))).toBe("a dog");
  expect(await at(png(["tEXt", "Software\0x"]))).toBeUndefined();
  const cut = png(["tEXt", "parameters\0a dog"]);
  expect(await at(cut.subarray(0, cut.length - 8))).toBeUndefined();
  expect(await at(Buffer.from("not a picture"))).toBeUndefined();
});
