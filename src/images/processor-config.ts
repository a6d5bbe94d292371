/** preprocessor_config.json, as transformers has written it since 2021. */
import { join } from "node:path";
import { z } from "zod";
import { ModelError } from "../system/errors.ts";
import { allFinite } from "../tensor/finite.ts";
import { readOptionalJson } from "../system/optional-files.ts";
import type { Size } from "./image.ts";
import { pixelTables, type ImageProcessor } from "./processor.ts";
import type { Filter } from "./resize.ts";

export type EncoderKind = "align" | "clip" | "dino";

/** On a side of the pictures that an encoder reads: nothing in the weights of a convolutional one says how large they are. */
const MOST_PIXELS = 1024;

const side = z.number().int().min(1).max(MOST_PIXELS);
const square = (edge: number): Size => ({ width: edge, height: edge });
const sizeSchema = z.strictObject({ height: side, width: side });
// A pair is (height, width).
const pairSchema = z.tuple([side, side]).transform(([height, width]) => ({ height, width }));
const edgeSchema = z.strictObject({ shortest_edge: side }).transform((edge) => ({ shortestEdge: edge.shortest_edge }));
const unsupportedSize = {
  error: `expected a number, {height, width} or {shortest_edge}, each from 1 to ${MOST_PIXELS}; other sizes are not supported`,
};
const perChannel = z.union([z.tuple([z.number(), z.number(), z.number()]), z.number().transform((x) => [x, x, x])]);
const nonZero = perChannel.refine((values) => !values.includes(0), "expected values other than 0");
/** Pillow's numbers for its filters. */
const filters: readonly (Filter | undefined)[] = [undefined, "lanczos", "bilinear", "bicubic"];

const schema = z.looseObject({
  image_processor_type: z.string().nullish(),
  feature_extractor_type: z.string().nullish(),
  do_resize: z.boolean().nullish(),
  size: z.union([side, pairSchema, sizeSchema, edgeSchema], unsupportedSize).nullish(),
  default_to_square: z.boolean().nullish(),
  resample: z
    .int()
    .refine((number) => filters[number] !== undefined, "only 1 (Lanczos), 2 (bilinear) and 3 (bicubic) are supported")
    .nullish(),
  do_center_crop: z.boolean().nullish(),
  crop_size: z
    .union([side, pairSchema, sizeSchema], {
      error: `expected a number or {height, width}, each from 1 to ${MOST_PIXELS}`,
    })
    .nullish(),
  do_rescale: z.boolean().nullish(),
  rescale_factor: z.number().nullish(),
  rescale_offset: z.boolean().nullish(),
  do_normalize: z.boolean().nullish(),
  image_mean: perChannel.nullish(),
  image_std: nonZero.nullish(),
  include_top: z.boolean().nullish(),
});
type Config = z.output<typeof schema>;
/** A config in which nothing is left open. */
type Options = { [K in Exclude<keyof typeof schema.shape, `${string}_type`>]-?: NonNullable<Config[K]> };

/** Other keys that a file may have: pictures here are RGB already, and the rest does not touch the pixels. */
const HARMLESS =
  /^(_.*|do_convert_rgb|do_reduce_labels|processor_class|auto_map|data_format|input_data_format|device|return_tensors|disable_grouping|image_seq_length|.*_version)$/;

const half: [number, number, number] = [0.5, 0.5, 0.5];
const common = {
  do_resize: true,
  do_rescale: true,
  rescale_factor: 1 / 255,
  rescale_offset: false,
  do_normalize: true,
};

/** What keys that a file lacks mean: the attributes of transformers' EfficientNetImageProcessor, CLIPImageProcessor, ViTImageProcessor. */
const classDefaults: Readonly<Record<EncoderKind, Options>> = {
  align: {
    ...common,
    size: square(346),
    default_to_square: true,
    resample: 3,
    do_center_crop: false,
    crop_size: square(289),
    image_mean: half,
    image_std: half,
    include_top: true,
  },
  clip: {
    ...common,
    size: { shortestEdge: 224 },
    default_to_square: false,
    resample: 3,
    do_center_crop: true,
    crop_size: square(224),
    image_mean: [0.48145466, 0.4578275, 0.40821073],
    image_std: [0.26862954, 0.26130258, 0.27577711],
    include_top: false,
  },
  dino: {
    ...common,
    size: square(224),
    default_to_square: true,
    resample: 2,
    do_center_crop: false,
    crop_size: square(224),
    image_mean: half,
    image_std: half,
    include_top: false,
  },
};

/** What a model without a file was trained with: the published files of kakaobrain/align-base and facebook/dino-vits16, as far as they differ. */
const publishedDefaults: Readonly<Record<EncoderKind, Config>> = {
  align: {
    resample: 2,
    do_center_crop: true,
    rescale_factor: 1 / 127.5,
    rescale_offset: true,
    do_normalize: false,
    include_top: false,
  },
  clip: {},
  dino: {},
};

/** The processor classes whose steps are known, by the class's name without its suffix. */
const kinds: Readonly<Partial<Record<string, EncoderKind>>> = { EfficientNet: "align", CLIP: "clip", ViT: "dino" };

/**
 * Read `folder/preprocessor_config.json`; without that file, the processor with which the published model of this kind was trained.
 *
 * @throws ModelError naming the file and the entry that is broken, or that changes the result and is not supported
 */
export async function loadImageProcessor(folder: string, kind: EncoderKind): Promise<ImageProcessor> {
  const name = "preprocessor_config.json";
  const config = await readOptionalJson(folder, name, schema);
  if (!config) return assemble({ ...classDefaults[kind], ...given(publishedDefaults[kind]) });
  const file = join(folder, name);
  for (const [key, value] of Object.entries(config))
    if (!(key in schema.shape) && !HARMLESS.test(key) && value !== null && value !== false)
      throw new ModelError(`${file}: ${key} ${JSON.stringify(value)} is not supported`);
  const className = config.image_processor_type ?? config.feature_extractor_type;
  const fileKind = className ? kinds[className.replace(/(ImageProcessor|FeatureExtractor)(Fast|Pil)?$/, "")] : kind;
  if (!fileKind)
    throw new ModelError(
      `${file}: ${className ?? ""} is not supported, expected the image processor of ${Object.keys(kinds).join(", ")}`,
    );
  const foreign = fileKind === "align" ? {} : { rescale_offset: false, include_top: false };
  const processor = assemble({ ...classDefaults[fileKind], ...given(config), ...foreign });
  if (!pixelTables(processor).every(allFinite))
    throw new ModelError(
      `${file}: rescale_factor, image_mean and image_std make NaN or infinity of pixels, expected numbers of a usual size`,
    );
  return processor;
}

/** The entries of `config` that are not null, which transformers takes for missing. */
function given(config: Config): Partial<Options> {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== null && value !== undefined));
}

function assemble(options: Options): ImageProcessor {
  const { size, crop_size: crop, image_mean: mean, image_std: std } = options;
  const edge = options.default_to_square ? square : (shortestEdge: number) => ({ shortestEdge });
  return {
    resize: options.do_resize
      ? { size: typeof size === "number" ? edge(size) : size, filter: filters[options.resample] ?? "bilinear" }
      : undefined,
    crop: options.do_center_crop ? (typeof crop === "number" ? square(crop) : crop) : undefined,
    rescale: options.do_rescale ? { factor: options.rescale_factor, offset: options.rescale_offset } : undefined,
    normalize: [
      ...(options.do_normalize ? [{ mean, std }] : []),
      // EfficientNet's classifiers divide by the deviation again.
      ...(options.include_top ? [{ mean: [0, 0, 0], std }] : []),
    ],
  };
}
