import type { Context } from "hono";
import { streamSSE, type SSEStreamingApi } from "hono/streaming";
import * as METHODS from "../../methods/index.ts";
import { readRunConfig } from "../../runs/config.ts";
import { valuesOf } from "../../settings/setting.ts";
import type { MethodReport } from "../../settings/method-entry.ts";
import type { RunFacts, RunNews, RunView } from "../api.ts";
import { UsageError } from "../../system/errors.ts";
import { oneLine } from "../../system/printable.ts";
import { Refusal } from "../refusal.ts";
import type { Followed, Followers } from "./follow.ts";
import type { KnownRun } from "./registry.ts";
import { saidBy } from "../../system/said-by.ts";

/** Event streams that one address may have open: a page has one, and a browser opens no more than six to a server. */
const MOST_STREAMS = 16;
/** A line now and then, so that a visitor who went without a word is found gone. */
const HEARTBEAT_MS = 15_000;
/** Events in one message: a page draws between two. */
const AT_ONCE = 2000;

/** Counts the streams of each address. */
export function createStreamLimit(): (address: string, signal: AbortSignal) => void {
  const open = new Map<string, number>();
  return (address, signal) => {
    const count = open.get(address) ?? 0;
    if (count >= MOST_STREAMS)
      throw new Refusal(429, `${MOST_STREAMS} pages are watching from there already; close some of them`);
    open.set(address, count + 1);
    signal.addEventListener("abort", () => open.set(address, (open.get(address) ?? 1) - 1), { once: true });
  };
}

/**
 * Tells a page all of a run, then what comes. Each stream remembers how far it has told, and goes on when what it wrote was taken, so that a
 * slow reader holds up nobody but itself and nothing is kept for it.
 */
export async function streamRun(
  c: Context,
  run: KnownRun,
  followers: Followers,
  end: AbortController,
): Promise<Response> {
  const followed = await followers.follow(run.folder, end.signal);
  // a run whose settings cannot be read is refused at once
  await aboutOf(run);
  return streamSSE(c, async (stream) => {
    stream.onAbort(() => end.abort());
    const heartbeat = setInterval(() => void stream.write(": still here\n\n"), HEARTBEAT_MS);
    try {
      await tell(stream, run, followed, end.signal);
    } catch (error) {
      // a run that was deleted, or whose settings somebody changed
      const message = oneLine(saidBy(error), 600);
      await stream.writeSSE({ data: JSON.stringify({ type: "problem", message } satisfies RunNews) });
    } finally {
      clearInterval(heartbeat);
      end.abort();
    }
  });
}

const NO_FACTS: RunFacts = { live: false, isValidationAsked: false, checkpoints: [], best: undefined, votes: [] };

/** What a run is, by its settings as they are now: it may have been given more steps. */
async function aboutOf({ name, folder }: KnownRun): Promise<Omit<RunView, "state" | "facts">> {
  const { settings, judging } = await readRunConfig(folder);
  const report: MethodReport = METHODS[settings.method].report;
  const values = valuesOf(settings);
  const about = { title: report.title(values), charts: report.charts(values), isJudged: judging !== undefined };
  return { name, folder, settings, ...about };
}

/** A run as it is now. @throws UsageError where its settings or its log cannot be read */
export async function viewOf(run: KnownRun, followers: Followers): Promise<RunView> {
  const end = new AbortController();
  try {
    const followed = await followers.follow(run.folder, end.signal);
    const problem = followed.problem();
    if (problem !== undefined) throw new UsageError(problem);
    return { ...(await aboutOf(run)), state: followed.state(), facts: followed.facts() ?? NO_FACTS };
  } finally {
    end.abort();
  }
}

async function tell(stream: SSEStreamingApi, run: KnownRun, followed: Followed, signal: AbortSignal): Promise<void> {
  const send = (news: RunNews): Promise<void> => stream.writeSSE({ data: JSON.stringify(news) });
  let [generation, told] = [-1, 0];
  let facts: unknown;
  while (!signal.aborted) {
    const problem = followed.problem();
    if (problem !== undefined) return send({ type: "problem", message: problem });
    if (followed.isOver()) return;
    if (generation !== followed.generation()) {
      const about = await aboutOf(run);
      // nothing comes between these
      [generation, told, facts] = [followed.generation(), followed.events().length, followed.facts()];
      await send({ type: "all", ...about, state: followed.state(), facts: followed.facts() ?? NO_FACTS });
    } else if (told < followed.events().length) {
      const events = followed.events().slice(told, told + AT_ONCE);
      told += events.length;
      await send({ type: "events", events });
    } else if (facts !== followed.facts()) {
      const now = followed.facts();
      facts = now;
      if (now !== undefined) await send({ type: "facts", facts: now });
    } else await followed.changed(signal);
  }
}
