import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { resolveTraining } from "../../src/commands/train/resolve.ts";
import { trainByMethod } from "../../src/commands/train/run.ts";
import { inFlags } from "../../src/settings/flag-name.ts";
import type { GivenSettings } from "../../src/settings/parse.ts";
import { ModelError, UsageError } from "../../src/system/errors.ts";
import { makePhotos, MODEL, REWARD, rpo, temporaryFolder } from "../run/cli.ts";
import {
  changedHeader,
  changedJson,
  cut,
  damagedModel,
  damagedReward,
  emptyFolder,
  filled,
  hugePhoto,
  photosWith,
  pickled,
  replaced,
  safetensors,
  truncatedPhoto,
  UNET,
} from "./hostile.ts";
import { textOf } from "../../src/system/message.ts";

const photos = await makePhotos(2);

interface Inputs {
  readonly model: string;
  readonly reward: string;
  readonly images: string;
}

/** What `rpo train` does with tiny models, some of its inputs replaced: an error of a line or two, in flags' words, and nothing written. */
async function refused(inputs: Partial<Inputs>, message: RegExp, extra: GivenSettings = {}) {
  const folder = await temporaryFolder();
  const given = { model: MODEL, reward: REWARD, images: photos, ...inputs, class: "dog", threads: "1", ...extra };
  const said: string[] = [];
  const train = async () => {
    const wanted = { settings: { ...given, output: join(folder, "run") }, resume: false };
    const { request, resume } = await resolveTraining(wanted, {
      warn: (line) => said.push(textOf(line)),
      fetch: () => Promise.reject(new Error("nothing is fetched")),
    });
    await trainByMethod(
      request,
      { resume },
      {
        emit(event) {
          if (event.type === "warning") said.push(textOf(event.text));
        },
        signal: new AbortController().signal,
        confirm: () => Promise.resolve(true),
      },
    );
  };
  const error = await train().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error instanceof UsageError || error instanceof ModelError, String(error)).toBe(true);
  said.push(...inFlags(error).split("\n"));
  expect(said.join("\n")).toMatch(message);
  expect(said.length, said.join("\n")).toBeLessThanOrEqual(2);
  expect(await readdir(folder)).toEqual([]);
}

test("the program says it so on stderr, exits with 2, and writes nothing", async () => {
  const cases: [inputs: Partial<Inputs>, message: RegExp][] = [
    [{ images: await photosWith("z.jpg", "hello") }, /z\.jpg: not a picture that can be read/],
    [{ model: await damagedModel(cut(UNET, 0.5)) }, /safetensors: tensor .* \(is it cut short\?\)/],
  ];
  for (const [inputs, message] of cases) {
    const folder = await temporaryFolder();
    const { model, reward, images }: Inputs = { model: MODEL, reward: REWARD, images: photos, ...inputs };
    const args = [
      "--model",
      model,
      "--reward",
      reward,
      "--images",
      images,
      "--class",
      "dog",
      "--yes",
      "--threads",
      "1",
    ];
    const { stderr, stdout, code } = await rpo(["train", ...args, "--output", join(folder, "run")]);
    const lines = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("loading "));
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
    expect(lines.length, stderr).toBeLessThanOrEqual(2);
    expect(stdout).toBe("");
    expect(await readdir(folder)).toEqual([]);
  }
});

describe("photos", () => {
  test.each<[string, () => Promise<string>, RegExp]>([
    ["a missing folder", () => Promise.resolve("/nowhere/dog"), /\/nowhere\/dog: no such folder/],
    ["an empty folder", emptyFolder, /--images .*empty: no pictures in it \(looked for \.jpg/],
    ["a file for a folder", () => Promise.resolve(join(MODEL, "model_index.json")), /expected a folder with pictures/],
    ["text named .jpg", () => photosWith("z.jpg", "hello"), /z\.jpg: not a picture that can be read/],
    [
      "a drawing that takes minutes, named .png",
      () =>
        photosWith(
          "z.png",
          '<svg xmlns="http://www.w3.org/2000/svg" width="9000" height="9000"><filter id="f"><feGaussianBlur stdDeviation="500"/></filter><rect width="9000" height="9000" filter="url(#f)"/></svg>',
        ),
      /z\.png: not a picture that can be read: this is an SVG drawing under the name of a PNG/,
    ],
    ["an empty picture", () => photosWith("z.jpg", ""), /z\.jpg: the file is empty/],
    [
      "a truncated picture",
      async () => photosWith("z.jpg", await truncatedPhoto()),
      /z\.jpg: the picture is damaged or truncated/,
    ],
    [
      "a picture of 20000 x 20000",
      async () => photosWith("z.jpg", await hugePhoto()),
      /z\.jpg: 20000 x 20000 pixels is too large, the limit is 100 megapixels/,
    ],
  ])("%s", async (_name, make, message) => refused({ images: await make() }, message));
});

describe("a model's weights", () => {
  const oneTensor = (entry: object) =>
    JSON.stringify({ a: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...entry } });
  const data = new Uint8Array(12);
  test.each<[string, (folder: string) => Promise<void>, RegExp]>([
    ["cut short", cut(UNET, 0.5), /safetensors: tensor .* \(is it cut short\?\)/],
    ["empty", replaced(UNET, ""), /safetensors: 0 bytes are too few/],
    [
      "a header of 2^63 bytes",
      replaced(UNET, safetensors("{}", data, 2n ** 63n)),
      /the header's length is given as 9223372036854775808 bytes/,
    ],
    ["a header that is no JSON", replaced(UNET, safetensors("{nope}")), /the header is not JSON/],
    [
      "an offset out of range",
      replaced(UNET, safetensors(oneTensor({ data_offsets: [0, 800] }), data)),
      /data_offsets \[0, 800\] lie outside the file's 12 bytes/,
    ],
    [
      "tensors that overlap",
      replaced(
        UNET,
        safetensors(
          '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}',
          data,
        ),
      ),
      /tensor "b" begins at 4, inside tensor "a"/,
    ],
    [
      "a shape beyond all memory",
      replaced(UNET, safetensors(oneTensor({ shape: [2 ** 40, 2 ** 40] }), data)),
      /data_offsets span 8/,
    ],
    [
      "an unknown dtype",
      changedHeader(UNET, (header) => (header["conv_in.weight"] = { ...header["conv_in.weight"], dtype: "F4" })),
      /"conv_in.weight": dtype "F4" is not supported, expected one of/,
    ],
    [
      "a dtype that contradicts the shape",
      changedHeader(UNET, (header) => (header["conv_in.weight"] = { ...header["conv_in.weight"], dtype: "F64" })),
      /"conv_in.weight": F64 of shape .* takes \d+ bytes, but data_offsets span/,
    ],
    [
      "a tensor under another name",
      changedHeader(UNET, (header) => {
        header["conv_away.weight"] = header["conv_in.weight"];
        Reflect.deleteProperty(header, "conv_in.weight");
      }),
      /unet: 1 tensor missing: conv_in.weight/,
    ],
    ["a pickle", pickled(UNET, "diffusion_pytorch_model.bin"), /a pickle file, .*never read\.\nConvert it.*python -c/],
    ["a pickle by another name", replaced(UNET, "PK\x03\x04....."), /this is a pickle file/],
    ["NaN", filled(UNET, 0xff), /unet: \S+ holds NaN or infinity: the file is damaged/],
  ])("%s", async (_name, change, message) => refused({ model: await damagedModel(change) }, message));

  test("the reward's cut short", async () =>
    refused({ reward: await damagedReward(cut("model.safetensors", 0.9)) }, /model.safetensors: .*cut short/));
  test("the reward's pickled", async () =>
    refused(
      { reward: await damagedReward(pickled("model.safetensors", "pytorch_model.bin")) },
      /only pytorch_model.bin, a pickle file.*\n.*AlignModel/,
    ));
  test("in one file", async () => {
    const folder = await emptyFolder();
    await writeFile(join(folder, "v1-5.ckpt"), "x");
    await refused({ model: folder }, /no such file, expected a diffusers folder; .*from_single_file/);
    await refused(
      { model: join(folder, "v1-5.ckpt") },
      /expected a diffusers folder or .*, but it is .*from_single_file/,
    );
    await writeFile(join(folder, "v1-5.safetensors"), safetensors("{}"));
    await refused(
      { model: join(folder, "v1-5.safetensors") },
      /expected a Stable Diffusion checkpoint .*found no tensors/,
    );
    await rm(join(folder, "v1-5.ckpt"));
    await refused(
      { model: folder },
      /no such file, expected a diffusers folder; found v1-5.safetensors: give the file/,
    );
  });
});

describe("a model's configuration", () => {
  const unet = (entries: Readonly<Record<string, unknown>>) => changedJson("unet/config.json", entries);
  test.each<[string, (folder: string) => Promise<void>, RegExp]>([
    ["no JSON", replaced("unet/config.json", '{"a":'), /unet\/config.json: expected JSON/],
    ["missing", (folder) => rm(join(folder, "vae/config.json")), /vae\/config.json: no such file/],
    [
      "no index",
      (folder) => rm(join(folder, "model_index.json")),
      /model_index.json: no such file, expected a diffusers/,
    ],
    [
      "lists of different lengths",
      unet({ block_out_channels: [32, 64, 64] }),
      /block_out_channels has 3 entries but down_block_types 2/,
    ],
    [
      "parts that do not fit",
      unet({ cross_attention_dim: 48 }),
      /cross_attention_dim is 48 but text_encoder hidden_size/,
    ],
    ["weights that do not fit", unet({ layers_per_block: 2 }), /unet: \d+ tensors missing: /],
    ["text for a number", unet({ layers_per_block: "two" }), /layers_per_block is "two": expected a whole number/],
    ["a billion layers", unet({ layers_per_block: 1e9 }), /layers_per_block is 1000000000: expected .* from 1 to 200/],
    ["billions of channels", unet({ block_out_channels: [8e9, 8e9] }), /block_out_channels.0 is 8000000000: expected/],
    ["pictures beyond all memory", unet({ sample_size: 1e9 }), /sample_size is 1000000000: /],
    ["an unknown option", unet({ act_fn: "mish" }), /act_fn "mish" is not supported, only "silu"/],
    [
      "a scheduler out of range",
      changedJson("scheduler/scheduler_config.json", { num_train_timesteps: -3 }),
      /scheduler_config.json: num_train_timesteps is -3/,
    ],
  ])("%s", async (_name, change, message) => refused({ model: await damagedModel(change) }, message));
});

describe("prompts of one's own", () => {
  test.each<[string, string, RegExp]>([
    ["without the class", "a {class}\na dog", /prompt 2: "a dog" lacks \{class\}/],
    ["nothing", "", /expected at least one prompt/],
    ["broken JSON", '["a {class}"', /not valid JSON/],
    ["of another form", '{"prompts": []}', /training .*expected a list of prompts/],
  ])("%s", async (_name, content, message) => {
    const path = join(await temporaryFolder(), "prompts.txt");
    await writeFile(path, content);
    await refused({}, message, { prompts: path });
  });
});

test("an adapter that is none is refused with a hint, and a fine-tuned U-Net's folder is not taken for a run", async () => {
  const folder = await temporaryFolder();
  const draw = (adapter: string) =>
    rpo(["generate", "--model", MODEL, "--adapter", adapter, "--prompt", "a dog", "--output", join(folder, "out")]);
  await writeFile(join(folder, "lora.safetensors"), Buffer.from("\x80\x02ctorch._utils\n", "latin1"));
  const cases: [adapter: string, code: number, message: RegExp][] = [
    [join(folder, "none"), 2, /none: no such file or folder/],
    [join(folder, "lora.safetensors"), 2, /this is a pickle file/],
    [join(MODEL, "model_index.json"), 2, /this is a text that begins with .*, and no safetensors file/],
    [join(MODEL, "vae"), 2, /tensors missing/],
  ];
  for (const [adapter, code, message] of cases) {
    const outcome = await draw(adapter);
    expect(outcome.stderr).toMatch(message);
    expect(outcome.code).toBe(code);
  }
  expect(await readdir(folder)).toEqual(["lora.safetensors"]);
  const whole = await rpo([
    ...["generate", "--model", MODEL, "--adapter", join(MODEL, "unet"), "--prompt", "a dog", "-n", "1"],
    ...["--steps", "1", "--output", join(folder, "out")],
  ]);
  expect(whole.code, whole.stderr).toBe(0);
});
