/** Changes that would cost much or give wrong figures, were they believed. */
export interface Bomb {
  readonly name: string;
  readonly target: string;
  /** Entries of JSON files, laid over what is there. */
  readonly changes?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Texts in a file and what takes their place. */
  readonly texts?: Readonly<Record<string, readonly [pattern: RegExp, by: string]>>;
  /** Files of other kinds, by what `strange.ts` calls them, under these names. */
  readonly swapped?: Readonly<Record<string, string>>;
}

const long = (length: number, item: unknown) => new Array<unknown>(length).fill(item);
/** The most that each entry may be by itself. */
const DEEP = { layers_per_block: 200, transformer_layers_per_block: 200 };
const WIDE = { hidden_size: 2 ** 20, intermediate_size: 2 ** 20, num_attention_heads: 2 ** 20 };
const EFFICIENT = {
  ...{ depth_coefficient: 10, num_block_repeats: long(10, 200), in_channels: long(10, 16), out_channels: long(10, 16) },
  ...{
    kernel_sizes: long(10, 3),
    strides: long(10, 1),
    expand_ratios: long(10, 6),
    width_coefficient: 1,
    depth_divisor: 16,
  },
};

const of = (target: string, file: string, ...all: Readonly<Record<string, unknown>>[]): Bomb[] =>
  all.map((entries) => ({
    name: `${target}, ${file}: ${JSON.stringify(entries).slice(0, 60)}`,
    target,
    changes: { [file]: entries },
  }));

const log = (target: string, name: string, pattern: RegExp, by: string): Bomb => ({
  name: `${target}: ${name}`,
  target,
  texts: { "events.jsonl": [pattern, by] },
});

export const BOMBS: readonly Bomb[] = [
  ...of("diffusers", "unet/config.json", DEEP, { sample_size: 1024 }, { block_out_channels: [2 ** 20, 2 ** 20] }),
  ...of(
    "diffusers",
    "unet/config.json",
    { norm_num_groups: 1e9 },
    { cross_attention_dim: 1e9 },
    { layers_per_block: 1e9 },
  ),
  ...of(
    "diffusers",
    "vae/config.json",
    { layers_per_block: 200, norm_num_groups: 1 },
    { block_out_channels: [2 ** 20, 2 ** 20] },
  ),
  ...of("diffusers", "vae/config.json", {
    block_out_channels: long(10, 8),
    down_block_types: long(10, "DownEncoderBlock2D"),
    up_block_types: long(10, "UpDecoderBlock2D"),
  }),
  ...of("diffusers", "text_encoder/config.json", { num_hidden_layers: 200 }, WIDE, { max_position_embeddings: 1e6 }),
  ...of("diffusers", "tokenizer/tokenizer_config.json", { model_max_length: 999_999 }),
  {
    name: "diffusers: texts of a million tokens",
    target: "diffusers",
    changes: {
      "text_encoder/config.json": { max_position_embeddings: 1e6 },
      "tokenizer/tokenizer_config.json": { model_max_length: 999_999 },
    },
  },
  ...of(
    "diffusers",
    "scheduler/scheduler_config.json",
    { num_train_timesteps: 1e9 },
    { trained_betas: long(1e6, 0.5) },
  ),
  ...of(
    "configurations",
    "unet/config.json",
    DEEP,
    { addition_time_embed_dim: 2 ** 20 },
    { projection_class_embeddings_input_dim: 1e9 },
  ),
  ...of("one file", "model/unet/config.json", DEEP, { sample_size: 1024 }),
  ...of("one file", "model/vae/config.json", { layers_per_block: 200 }),
  ...of("one file", "model/text_encoder/config.json", { num_hidden_layers: 200 }),
  ...of(
    "align",
    "config.json",
    { vision_config: EFFICIENT, projection_dim: 16 },
    { text_config: { num_hidden_layers: 200 } },
    { text_config: WIDE },
  ),
  ...of("align", "preprocessor_config.json", { size: 1e6 }, { size: { height: 8192, width: 8192 }, crop_size: 8192 }),
  ...of(
    "clip",
    "config.json",
    { text_config: { num_hidden_layers: 200 } },
    { vision_config: { num_hidden_layers: 200 } },
  ),
  ...of(
    "clip",
    "config.json",
    { vision_config: { image_size: 1e6, patch_size: 1 } },
    { text_config: { max_position_embeddings: 1e6 } },
  ),
  ...of("clip", "preprocessor_config.json", { size: { shortest_edge: 1e6 } }, { crop_size: 1e6 }),
  ...of(
    "dino",
    "config.json",
    { num_hidden_layers: 200 },
    { image_size: 1e6, patch_size: 1 },
    { image_size: 1024, patch_size: 1 },
  ),
  ...of("dino", "preprocessor_config.json", { size: 1e6 }),
  ...of("configurations", "scheduler/scheduler_config.json", { steps_offset: 1e9 }),
  ...of(
    "a model's defaults",
    "rpo.json",
    { train: { rank: 1e9 } },
    { train: { resolution: 1e6 } },
    { train: { negatives: 1e9 } },
  ),
  ...of("a model's defaults", "settings.json", { steps: 1e9 }, { threads: 1e9 }, { validationImages: 1e9 }),
  ...of(
    "run",
    "config.json",
    { steps: 1e9 },
    { rank: 1e9 },
    { validationImages: -1 },
    { resolution: 1e6 },
    { negatives: 1e9 },
  ),
  ...(["events", "run"] as const).flatMap((target): Bomb[] => [
    log(target, "alignments of 1e308", /"alignI":[\d.]+/g, '"alignI":1e308'),
    log(target, "infinite losses", /"sim":[\d.]+/g, '"sim":1e999'),
    log(target, "negative rewards", /"reward":/g, '"reward":-'),
    log(target, "a validation that lacks a picture", /("step":2,"lambda".*),\{[^{}]*\}\]\}/, "$1]}"),
    log(target, "validations in another order", /"type":"validation","step":2/, '"type":"validation","step":0'),
    log(target, "other seeds at the end", /("step":6,"lambda".*"seed":)\d+/, "$17"),
    log(target, "a step twice", /("type":"step","step":)3/, "$12"),
    log(target, "steps of 1e9", /("type":"step","step":)3/, "$11000000003"),
  ]),
  ...["png.png", "jpeg.jpeg", "webp.webp"].flatMap((file) =>
    ["an SVG that costs minutes", "an SVG that nests"].map((kind): Bomb => ({
      name: `${kind} as ${file}`,
      target: "picture",
      swapped: { [file]: kind },
    })),
  ),
];
