/** A name in letters that every system takes. */
export function fileName(name: string): string {
  return name.replace(/[^\w-]+/g, "-").slice(0, 60);
}
