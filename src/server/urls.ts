/** Where the page asks for things. */

/** A run's picture. @param options.side of a smaller one; @param options.version anything that changes with its content */
export function pictureUrl(
  id: string,
  path: string,
  { side, version }: { readonly side?: 160 | 320 | 640 | undefined; readonly version?: string | undefined } = {},
): string {
  const query = new URLSearchParams({ path });
  if (side !== undefined) query.set("side", String(side));
  if (version !== undefined) query.set("v", version.slice(0, 16));
  return `/api/runs/${id}/picture?${query.toString()}`;
}
