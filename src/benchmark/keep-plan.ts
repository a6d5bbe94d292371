import { join } from "node:path";
import { EMBEDDED_MODEL, isEmbedded } from "../checkpoints/embedded.ts";
import { repoOfSnapshot } from "../hub/cache.ts";
import { BENCHMARK_FILE } from "../runs/folder.ts";
import { METHOD_NAMES, type MethodName } from "../settings/learning.ts";
import { TRAIN } from "../settings/train.ts";
import type { SettingsTable } from "../settings/setting.ts";
import { UsageError, type Message } from "../system/errors.ts";
import { writeJson } from "../system/files.ts";
import { say, setting } from "../system/message.ts";
import { VERSION } from "../system/version.ts";
import { identityOf, type Hashes } from "./hashes.ts";
import type { BenchPlan } from "./plan.ts";
import type { RowKey } from "./results/results.ts";
import { readSaved, surroundingsOf, type Saved } from "./saved-plan.ts";
import { keyOfWork } from "./tasks/tasks.ts";

/**
 * Writes bench.json, or checks that a benchmark is continued as it was begun; methods, seeds and subjects may be added, and a subject
 * that has no row yet may change.
 * @param options.rows what there is already
 * @param options.warn told when another version of the program goes on with it
 * @throws UsageError naming what has changed, or when there are rows and no bench.json
 */
export async function keepPlan(
  plan: BenchPlan,
  hashes: Hashes,
  { rows, warn }: { readonly rows: readonly RowKey[]; readonly warn: (line: string) => void },
): Promise<void> {
  const path = join(plan.output, BENCHMARK_FILE);
  const before = await readSaved(plan.output);
  const { name, surroundings, drawing } = plan;
  const now: Saved = {
    version: VERSION,
    name,
    ...(surroundings !== undefined && { surroundings }),
    drawing,
    model: hashes.model,
    reward: hashes.reward,
    judges: hashes.judges,
    sources: sourcesOf(plan),
    subjects: Object.fromEntries(
      plan.subjects.map((subject) => {
        const { prompts } = subject;
        const settingsBy = (method: MethodName) => {
          const identity = identityOf(subject, hashes, method);
          return { ...identity, model: undefined, reward: undefined, photos: undefined };
        };
        const others = { ...before?.subjects[subject.name]?.others };
        for (const method of METHOD_NAMES)
          if (subject.others?.[method] !== undefined) others[method] = settingsBy(method);
        const hasOthers = Object.keys(others).length > 0;
        return [
          subject.name,
          {
            ...{ class: subject.class, prompts, training: settingsBy("rpo"), ...(hasOthers && { others }) },
            ...{ photos: hashes.photos[subject.name], folder: subject.folder },
          },
        ];
      }),
    ),
  };
  if (before !== undefined) compare(before, now, plan, rows);
  else if (rows.length > 0)
    throw new UsageError(
      say`${plan.output}: there are results but no ${BENCHMARK_FILE} that says of what; give another ${setting("output")}`,
    );
  const { version } = before ?? now;
  if (version !== VERSION)
    warn(`${plan.output} was begun with rpo ${version}; this is ${VERSION}, so that its rows are of both`);
  await writeJson(path, { ...now, version, subjects: { ...before?.subjects, ...now.subjects } });
}

/** The models by the names that people gave them. */
function sourcesOf({ subjects: [{ training }], judges }: BenchPlan): Saved["sources"] {
  return {
    model: nameOfModel(training.model),
    reward: nameOfModel(training.reward),
    judges: Object.fromEntries(Object.entries(judges).map(([judge, folder]) => [judge, nameOfModel(folder)])),
  };
}

/** "tiny", a name on the hub with its commit, or the folder itself. */
function nameOfModel(folder: string): string {
  if (isEmbedded(folder)) return EMBEDDED_MODEL;
  const snapshot = repoOfSnapshot(folder);
  return snapshot === undefined ? folder : `${snapshot.repo}@${snapshot.commit.slice(0, 8)}`;
}

function compare(before: Saved, now: Saved, { output, subjects }: BenchPlan, rows: readonly RowKey[]): void {
  const changed = (what: Message): never => {
    throw new UsageError(
      say`${what} since the results in ${output} were begun; give another ${setting("output")}, or what it was`,
    );
  };
  if (before.name !== now.name) changed(`the benchmark was ${before.name}, not ${now.name},`);
  if (now.surroundings !== undefined && surroundingsOf(before) !== now.surroundings)
    changed(
      say`where photos are taken (${setting("surroundings")}) changed from ${surroundingsOf(before)} to ${now.surroundings}`,
    );
  for (const part of ["drawing", "model", "reward", "judges"] as const)
    if (!equal(before[part], now[part])) changed(say`${WORDS[part]} changed`);
  for (const { name, folder } of subjects) {
    if (!Object.hasOwn(before.subjects, name) || !rows.some(({ subject }) => subject === name)) continue;
    const [old, current] = [before.subjects[name], now.subjects[name]];
    for (const file of new Set([...Object.keys(old.photos), ...Object.keys(current.photos)]))
      if (old.photos[file] !== current.photos[file])
        changed(
          `${join(folder, file)}: ${!(file in old.photos) ? "was added" : file in current.photos ? "changed" : "was removed"}`,
        );
    if (old.class !== current.class) changed(`${name}: the class word changed from ${old.class} to ${current.class}`);
    if (!equal(old.prompts, current.prompts)) changed(`${name}: the prompts changed`);
    if (!equal(old.training, current.training))
      changed(say`${name}: ${firstDifference(old.training, current.training)}`);
    for (const [method, then] of Object.entries(old.others ?? {})) {
      const here = current.others?.[method];
      const has = rows.some((row) => row.subject === name && row.method.replace(/\+.*/, "") === method);
      if (has && here !== undefined && !equal(then, here))
        changed(say`${name}: by ${method}, ${firstDifference(then, here)}`);
    }
  }
}

const WORDS = {
  drawing: say`how pictures are drawn (${setting("pictures")}, ${setting("drawingSteps")}, ${setting("guidance")})`,
  model: "the model's files",
  reward: "the reward model's files",
  judges: "the judges' files",
} as const;

/** "--steps changed from 80 to 81"; what has no flag of the benchmark's stands in its --config, by its name. */
function firstDifference(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): Message {
  const key = Object.keys({ ...a, ...b }).find((each) => !equal(a[each], b[each])) ?? "";
  const { name = key, inBench, default: usual } = (TRAIN as SettingsTable)[key] ?? {};
  const called = inBench === "flag" ? setting(name) : `the setting ${name}`;
  return say`${called} changed from ${shown(a[key] ?? usual)} to ${shown(b[key] ?? usual)}`;
}

function shown(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}

/** As JSON, whatever the order of keys. */
function equal(a: unknown, b: unknown): boolean {
  return keyOfWork(a) === keyOfWork(b);
}
