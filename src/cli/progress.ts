import cliProgress from "cli-progress";
import { printable } from "../system/printable.ts";

/** The one progress display: a bar on a terminal, a line every few seconds elsewhere; always on stderr. */
export interface Progress {
  /**
   * @param note what else to show, such as the running reward
   * @param options.isEven whether what is counted takes about the same time each. Default: it does; else no time left is told
   */
  update(phase: string, done: number, total: number, note?: string, options?: { readonly isEven?: boolean }): void;
  /** A line above the bar. */
  log(line: string): void;
  /** Takes the bar away, so that others may write; the next update brings it back. */
  stop(): void;
  /** What was updated last. */
  readonly phase: string | undefined;
}

type Display = Omit<Progress, "phase">;

const SECONDS_BETWEEN_LINES = 5;

export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const display = stream.isTTY ? barProgress(stream) : lineProgress(stream);
  let latest: string | undefined;
  return {
    ...display,
    update(phase, ...state) {
      latest = phase;
      display.update(phase, ...state);
    },
    log: (line) => display.log(printable(line)),
    get phase() {
      return latest;
    },
  };
}

/**
 * Rates and time left of phases. A phase that goes on after another came between (training after a validation) keeps its clock, so
 * that the time left counts what comes between; one that begins again has a new one.
 * @param now milliseconds
 */
export function createClock(now: () => number = () => performance.now()) {
  const phases = new Map<string, { started: number; first: number; last: number }>();
  return (name: string, done: number, total: number, isEven = true): { rate: string; left: string } => {
    if (!isEven) return { rate: "", left: "" };
    let phase = phases.get(name);
    if (phase === undefined || done < phase.last)
      phases.set(name, (phase = { started: now(), first: done, last: done }));
    phase.last = done;
    const perSecond = (done - phase.first) / ((now() - phase.started) / 1000);
    if (!(perSecond > 0) || !Number.isFinite(perSecond)) return { rate: "", left: "" };
    const rate = perSecond >= 1 ? `${perSecond.toFixed(1)}/s` : `${(1 / perSecond).toFixed(1)} s each`;
    return { rate, left: done === total ? "" : `${duration((total - done) / perSecond)} left` };
  };
}

function barProgress(stream: NodeJS.WriteStream): Display {
  const clock = createClock();
  let shown: { readonly bars: cliProgress.MultiBar; readonly bar: cliProgress.SingleBar } | undefined;
  return {
    update(phase, done, total, note = "", { isEven } = {}) {
      shown ??= showBar(stream);
      shown.bar.setTotal(total);
      shown.bar.update(done, { phase: phase.padEnd(10), note, ...clock(phase, done, total, isEven) });
    },
    log(line) {
      if (shown === undefined) stream.write(`${line}\n`);
      else shown.bars.log(`${line}\n`);
    },
    stop() {
      shown?.bars.update(); // what was logged since the last drawing would be lost
      shown?.bars.stop();
      shown = undefined;
    },
  };
}

function showBar(stream: NodeJS.WriteStream) {
  const bars = new cliProgress.MultiBar(
    {
      stream,
      format: "{phase} {bar} {value}/{total} {rate} {left} {note}",
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false,
      linewrap: false,
      barsize: 24,
    },
    cliProgress.Presets.shades_classic,
  );
  return { bars, bar: bars.create(1, 0, { phase: "", rate: "", left: "", note: "" }) };
}

function lineProgress(stream: NodeJS.WriteStream): Display {
  const clock = createClock();
  let last = "";
  let printed = -Infinity;
  return {
    update(phase, done, total, note = "", { isEven } = {}) {
      const { rate, left } = clock(phase, done, total, isEven);
      const now = performance.now();
      const counted = total > 1;
      const ended = counted && done === total && phase === last;
      if (phase === last && !ended && now - printed < SECONDS_BETWEEN_LINES * 1000) return;
      last = counted && done === total ? "" : phase;
      printed = now;
      stream.write(
        `${[phase, counted ? `${done}/${total}` : "", rate, left, note].filter((part) => part !== "").join("  ")}\n`,
      );
    },
    log: (line) => void stream.write(`${line}\n`),
    stop: () => undefined,
  };
}

/** "2 h 5 min", "3 min 20 s", "8 s". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  if (hours > 0) return `${hours} h ${minutes} min`;
  if (minutes > 0) return `${minutes} min ${whole % 60} s`;
  return `${whole} s`;
}
