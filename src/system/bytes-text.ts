const UNITS = [
  ["GB", 1e9],
  ["MB", 1e6],
  ["kB", 1e3],
] as const;

/** A number of bytes for people, in decimal units as disks and the documentation have them: "3.4 GB", "120 MB", "16 kB", "12 bytes". */
export function bytesText(bytes: number): string {
  // what rounds up to the next unit is said in it
  const [unit, size] = UNITS.find(([, least]) => bytes >= 0.9995 * least) ?? ["bytes", 1];
  const amount = bytes / size;
  return `${Number(amount.toFixed(amount < 100 && size > 1 ? 1 : 0))} ${unit}`;
}
