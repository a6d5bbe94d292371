import { pictureUrl } from "../../server/urls.ts";

export interface PictureOf {
  readonly run: string;
  readonly path: string;
  readonly version?: string | undefined;
  /** Of the picture itself, in pixels. */
  readonly side: number;
}

/** A picture of a run, as large as its place; small ones keep their pixels. */
export function Picture({
  run,
  path,
  version,
  side,
  alt,
  thumb,
}: PictureOf & { readonly alt: string; readonly thumb?: 160 | 320 | 640 | undefined }) {
  return (
    <img
      src={pictureUrl(run, path, { side: thumb, version })}
      width={side}
      height={side}
      alt={alt}
      loading="lazy"
      decoding="async"
      class={side <= 128 ? "pixels" : undefined}
    />
  );
}
