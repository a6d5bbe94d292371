import { libvips } from "../images/libvips.ts";
import { Random } from "../tensor/random.ts";
import { WHITE, BLACK } from "./colour.ts";
import { compose, FRAME } from "./compose.ts";
import type { Scene } from "./scene.ts";
import { paintIn } from "./styles.ts";
import { lightGradients } from "./svg.ts";

/** A picture of a scene. */
export interface Rendered {
  /** RGB, row by row: 64 x 64 x 3. */
  readonly image: Uint8Array<ArrayBuffer>;
  /** Coverage by the subject, 0 to 255: 64 x 64. Only where masks were asked for. */
  readonly mask?: Uint8Array<ArrayBuffer>;
}

/** Scenes on one sheet, side by side: a call of the rasteriser costs as much as several pictures. */
const COLUMNS = 4;
const SHEET = COLUMNS * COLUMNS;

/**
 * Pictures of the scenes, in their order, at 64 x 64 with antialiasing.
 *
 * The same scene gives the same picture on one machine; between versions of the SVG library antialiased edges may differ slightly.
 */
export async function renderScenes(
  scenes: readonly Scene[],
  { masks = false }: { masks?: boolean } = {},
): Promise<Rendered[]> {
  const rendered: Rendered[] = [];
  for (let start = 0; start < scenes.length; start += SHEET) {
    const part = scenes.slice(start, start + SHEET);
    const compositions = part.map((scene, i) => compose(scene, `s${i}-`));
    const pictures = await rasterise(
      compositions.map(({ picture }) => picture),
      lightGradients(WHITE, BLACK),
      3,
    );
    const silhouettes = masks
      ? await rasterise(
          compositions.map(({ mask }) => mask),
          lightGradients(WHITE, WHITE),
          1,
        )
      : [];
    part.forEach((scene, i) => {
      const image = scene.style
        ? paintIn(scene.style, pictures[i], new Random(scene.seed).split("style"))
        : pictures[i];
      rendered.push(masks ? { image, mask: silhouettes[i] } : { image });
    });
  }
  return rendered;
}

/** SVG fragments over the frame as pixels of 3 channels, or of the first 1. */
async function rasterise(
  fragments: readonly string[],
  defs: string,
  channels: 1 | 3,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const rows = Math.ceil(fragments.length / COLUMNS);
  const tiles = fragments.map((svg, i) => {
    const [x, y] = [(i % COLUMNS) * FRAME, Math.floor(i / COLUMNS) * FRAME];
    return `<svg x="${x}" y="${y}" width="${FRAME}" height="${FRAME}" viewBox="0 0 ${FRAME} ${FRAME}">${svg}</svg>`;
  });
  const [width, height] = [COLUMNS * FRAME, rows * FRAME];
  const document = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${defs}${tiles.join("")}</svg>`;
  const sharp = await libvips();
  // the command line keeps libvips from all that is not made for files from others, SVG among them
  sharp.unblock({ operation: ["VipsForeignLoadSvgBuffer"] });
  const input = sharp(Buffer.from(document)).removeAlpha();
  const sheet = await (channels === 1 ? input.extractChannel(0) : input).raw().toBuffer();
  return fragments.map((_, i) => cut(sheet, width, channels, i));
}

/** One tile of a sheet. */
function cut(sheet: Uint8Array, width: number, channels: number, index: number): Uint8Array<ArrayBuffer> {
  const [left, top] = [(index % COLUMNS) * FRAME, Math.floor(index / COLUMNS) * FRAME];
  const tile = new Uint8Array(FRAME * FRAME * channels);
  for (let y = 0; y < FRAME; y++) {
    const from = ((top + y) * width + left) * channels;
    tile.set(sheet.subarray(from, from + FRAME * channels), y * FRAME * channels);
  }
  return tile;
}
