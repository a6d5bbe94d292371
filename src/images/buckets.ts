import type { Size } from "./image.ts";

/** Shapes of about one area for photos of different aspect ratios, as sd-scripts and diffusers' trainers have them: buckets. */

/** A photo's bucket, and how much of the photo's area is cut off for it, in [0, 1). */
export interface Bucket extends Size {
  readonly cut: number;
}

/** Pixels between the sides of buckets, in trainers of Stable Diffusion. */
const STEP = 64;
/** The side of pictures from which on these steps are fine enough: eight of them. */
const LARGE = 8 * STEP;
/** How many times shorter, or longer, than the square's a bucket's side is at most: its aspect ratio is at most 4. */
const MOST_STRETCHED = 2;

/**
 * Pixels between the sides of buckets.
 *
 * 64, as everywhere, or a multiple of it where a model wants one. Pictures of fewer than 512 pixels are cut in steps of the model's own
 * multiple: steps of 64 would leave next to no shape but the square, and a smaller one would give the U-Net latents that do not halve evenly.
 * @param multiple pixels of a latent times how often the U-Net halves them
 */
export function bucketStep(resolution: number, multiple: number): number {
  return resolution < LARGE ? multiple : leastCommon(STEP, multiple);
}

function leastCommon(a: number, b: number): number {
  const greatest = (x: number, y: number): number => (y === 0 ? x : greatest(y, x % y));
  return (a / greatest(a, b)) * b;
}

/**
 * All buckets of a resolution: sides that are multiples of `step`, of no more pixels than the square and each as high as that allows. These
 * are sd-scripts' `make_bucket_resolutions(min_size=resolution / 2, max_size=2 * resolution)`, whose usual limits they are at 512 pixels.
 */
export function bucketSizes(resolution: number, step: number): Size[] {
  const down = (x: number) => Math.floor(x / step) * step;
  const least = Math.max(step, down(resolution / MOST_STRETCHED));
  const most = down(resolution * MOST_STRETCHED);
  const found = new Map<string, Size>();
  const put = (width: number, height: number) => found.set(`${width} ${height}`, { width, height });
  const side = down(resolution);
  if (side > 0) put(side, side);
  for (let width = least; width <= most; width += step) {
    const height = Math.min(most, down(resolution ** 2 / width));
    if (height < least) continue;
    put(width, height);
    put(height, width);
  }
  return [...found.values()].sort((a, b) => a.width - b.width || a.height - b.height);
}

/**
 * The bucket in which the least of a photo is lost: that whose aspect ratio has the smallest quotient to the photo's, of two alike the larger.
 *
 * sd-scripts takes that with the smallest difference of width / height. That is the same one but for photos that lie about midway, where it gives
 * a photo that was turned by a quarter another bucket, and cuts off more of it.
 * @param buckets not empty
 */
export function bucketOf(photo: Size, buckets: readonly Size[]): Size {
  return buckets.reduce((best, bucket) => {
    const gain = keptOf(photo, bucket) - keptOf(photo, best);
    return gain > 0 || (gain === 0 && areaOf(bucket) > areaOf(best)) ? bucket : best;
  });
}

/** How much of a photo's area is cut off to give it the shape of a bucket, in [0, 1). */
export function cutOff(photo: Size, bucket: Size): number {
  return 1 - keptOf(photo, bucket);
}

/** Of two ratios of integers, so that equal ones have equal quotients. */
function keptOf(photo: Size, bucket: Size): number {
  const [a, b] = [photo.width * bucket.height, photo.height * bucket.width];
  return Math.min(a, b) / Math.max(a, b);
}

function areaOf({ width, height }: Size): number {
  return width * height;
}

/** "576 x 448, 4 % cut off" */
export function bucketText({ width, height, cut }: Bucket): string {
  return `${width} x ${height}, ${percent(cut)} cut off`;
}

export function percent(part: number): string {
  return `${Math.round(100 * part)} %`;
}
