/** An EfficientNet's options, by the names of transformers' AlignVisionConfig; lists have an entry for each stage. */
export interface ScalingOptions {
  readonly width_coefficient: number;
  readonly depth_coefficient: number;
  readonly depth_divisor: number;
  readonly in_channels: readonly number[];
  readonly out_channels: readonly number[];
  readonly kernel_sizes: readonly number[];
  readonly strides: readonly (1 | 2)[];
  readonly num_block_repeats: readonly number[];
  readonly expand_ratios: readonly number[];
  /** Blocks without {@link VisionBlock.shiftedPadding}. */
  readonly depthwise_padding: readonly number[];
  readonly squeeze_expansion_ratio: number;
}

/** One inverted residual of an EfficientNet. */
export interface VisionBlock {
  readonly channels: number;
  readonly filters: number;
  /** Channels between the expansion and the projection; as many as `channels` where there is no expansion. */
  readonly inner: number;
  /** Channels of the squeezed means. */
  readonly squeezed: number;
  readonly kernel: number;
  readonly stride: 1 | 2;
  /** With stride 2: one row and column less of zeros before the picture than after it, as TensorFlow pads pictures of even size. */
  readonly shiftedPadding: boolean;
  readonly residual: boolean;
}

/** The channels of the first convolution. */
export function stemFilters(options: ScalingOptions): number {
  return roundFilters(options, 32);
}

/** Compound scaling (arXiv 1905.11946, section 3.3): every stage of the base network, wider and repeated more often. */
export function visionBlocks(options: ScalingOptions): VisionBlock[] {
  const blocks: VisionBlock[] = [];
  options.num_block_repeats.forEach((base, stage) => {
    const filters = roundFilters(options, options.out_channels[stage]);
    const ratio = options.expand_ratios[stage];
    const repeats = Math.ceil(options.depth_coefficient * base);
    for (let repeat = 0; repeat < repeats; repeat++) {
      const channels = repeat === 0 ? roundFilters(options, options.in_channels[stage]) : filters;
      blocks.push({
        channels,
        filters,
        inner: channels * ratio,
        squeezed: Math.max(1, Math.floor(channels * options.squeeze_expansion_ratio)),
        kernel: options.kernel_sizes[stage],
        stride: repeat === 0 ? options.strides[stage] : 1,
        shiftedPadding: !options.depthwise_padding.includes(blocks.length),
        residual: repeat > 0,
      });
    }
  });
  return blocks;
}

/** Channels scaled and rounded to a multiple of the divisor, but down by no more than a tenth. */
function roundFilters(
  { width_coefficient, depth_divisor }: Pick<ScalingOptions, "width_coefficient" | "depth_divisor">,
  channels: number,
): number {
  const scaled = channels * width_coefficient;
  const rounded = Math.max(
    depth_divisor,
    Math.floor(Math.trunc(scaled + depth_divisor / 2) / depth_divisor) * depth_divisor,
  );
  return rounded < 0.9 * scaled ? rounded + depth_divisor : rounded;
}
