/** A picture in memory: 8-bit sRGB, rows from the top, three bytes a pixel. */
export interface Picture {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** Red, green and blue of each pixel: `height * width * 3` bytes. */
  readonly data: Uint8Array;
}

/** A picture, or the path of its file: JPEG, PNG, WebP, AVIF, TIFF or GIF. */
export type PictureSource = Picture | string;

/** A picture that was drawn. */
export interface DrawnPicture extends Picture {
  /** What it was drawn from. */
  readonly prompt: string;
  /** Of its noise: the same seed, prompt and settings give the same picture. */
  readonly seed: number;
  /** The bytes of a PNG file. */
  toPng(): Promise<Uint8Array>;
  /**
   * Writes a PNG file, whose folder is made if it is missing.
   * @param path ends in `.png`
   * @throws UsageError on another kind of file
   */
  save(path: string): Promise<void>;
}
