/** A picture in memory: 8-bit sRGB, rows from the top, three bytes a pixel. */
export interface Image {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3] */
  readonly data: Uint8Array;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A picture of one colour. */
export function blankImage({ width, height }: Size, value = 0): Image {
  return { width, height, data: new Uint8Array(width * height * 3).fill(value) };
}
