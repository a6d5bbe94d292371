/** "3 h 20 min", "42 s" */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.round(hours / 24)} days`;
}

/** "0.42 s", "12 ms" */
export function pace(seconds: number): string {
  if (seconds < 0.1) return `${(seconds * 1000).toFixed(0)} ms`;
  return seconds < 10 ? `${seconds.toFixed(2)} s` : `${seconds.toFixed(1)} s`;
}

/** "12 MB" */
export function size(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let value = bytes;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** "5 minutes ago" */
export function ago(time: string, now = Date.now()): string {
  const seconds = (now - Date.parse(time)) / 1000;
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} seconds ago`;
  for (const [unit, length, most] of UNITS)
    if (seconds < length * most) return plural(Math.floor(seconds / length), unit);
  return new Date(time).toLocaleDateString();
}

const UNITS = [
  ["minute", 60, 60],
  ["hour", 3600, 24],
  ["day", 86_400, 30],
] as const;

function plural(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
}

/** ".783" */
export function short(value: number): string {
  return value
    .toFixed(3)
    .replace(/^(-?)0/, "$1")
    .replace("-", "−");
}

export function stepName(step: number): string {
  return step === 0 ? "start" : `step ${step}`;
}
