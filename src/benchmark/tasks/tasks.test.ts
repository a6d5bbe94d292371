import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeJson } from "../../system/files.ts";
import { benchPerformer } from "./perform.ts";
import { readTask, writeTask } from "./files.ts";
import { parseReference, type BenchTask } from "./tasks.ts";

const reference = { kind: "photos", folder: "/out/photos/0123456789abcdef" } as const;

test("a job is a task in one of a benchmark's folders", () => expect(parseReference(reference)).toEqual(reference));

test.each<[string, unknown]>([
  ["a folder of the user's", { ...reference, folder: "/home/someone" }],
  ["a folder of another kind", { ...reference, folder: "/out/train/0123456789abcdef" }],
  ["a path that goes up", { ...reference, folder: "/out/../photos/0123456789abcdef" }],
  ["a path with a byte of zero", { ...reference, folder: "/out\0/photos/0123456789abcdef" }],
  ["a path longer than paths are", { ...reference, folder: `/${"x".repeat(5000)}/photos/0123456789abcdef` }],
  ["a relative path", { ...reference, folder: "out/photos/0123456789abcdef" }],
  ["an unknown kind", { ...reference, kind: "shell", folder: "/out/shell/0123456789abcdef" }],
  ["text", "rm -rf /"],
])("a job with %s is refused", (_name, data) => expect(() => parseReference(data)).toThrow(/^the job/));

describe("what is done is what the benchmark's folder asks for", () => {
  let root: string;
  let task: BenchTask;
  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), "rpo-tasks-")));
    const folder = join(root, "mine/bench/photos/0123456789abcdef");
    task = { kind: "photos", folder, settings: { references: "/photos", judges: { dino: "/dino" } } };
    await mkdir(join(root, "mine/bench"), { recursive: true });
    await writeFile(join(root, "mine/bench/bench.json"), "{}");
    await writeTask(task);
  });
  afterEach(() => rm(root, { recursive: true }));

  test("with the settings of its file, whatever the job carries", async () => {
    const asked: unknown[] = [];
    const run = ((_name: string, settings: unknown) => {
      asked.push(settings);
      return Promise.resolve({ photos: 1, scores: {} });
    }) as unknown as typeof import("../../engine/host.ts").runTask;
    const data = { ...task, settings: { references: "/etc", judges: {} } };
    const control = { signal: new AbortController().signal, report: () => undefined };
    await benchPerformer({ threads: 1, run })({ id: "a", label: "a", priority: 1, data }, control);
    expect(asked).toEqual([{ references: "/photos", judges: { dino: "/dino" }, threads: 1 }]);
  });

  test.each<[string, () => Promise<unknown>, RegExp]>([
    ["where no benchmark is", () => rm(join(root, "mine/bench/bench.json")), /no benchmark is in .*mine\/bench /],
    ["that it does not ask for", () => rm(join(root, "mine/bench/tasks"), { recursive: true }), /does not ask for it/],
    [
      "with a setting that no benchmark has",
      () =>
        writeJson(join(root, "mine/bench/tasks/photos-0123456789abcdef.json"), {
          ...task.settings,
          output: "/etc",
        }),
      /tasks\/photos-0123456789abcdef\.json: Unrecognized key: "output"/,
    ],
  ])("work %s is refused", async (_name, change, message) => {
    expect(await readTask(task, undefined)).toEqual(task);
    await change();
    await expect(readTask(task, undefined)).rejects.toThrow(message);
  });

  test("with a root, nothing is done for benchmarks elsewhere, links resolved", async () => {
    expect(await readTask(task, join(root, "mine"))).toEqual(task);
    await mkdir(join(root, "mine2"));
    await expect(readTask(task, join(root, "mine2"))).rejects.toThrow(/not below root .*mine2$/);
    await expect(readTask(task, join(root, "min"))).rejects.toThrow("not below root");
    await symlink(join(root, "mine/bench"), join(root, "mine2/link"));
    const linked = { ...task, folder: join(root, "mine2/link/photos/0123456789abcdef") };
    await expect(readTask(linked, join(root, "mine2"))).rejects.toThrow("not below root");
    await symlink(join(root, "mine2"), join(root, "mine/bench/photos"));
    await expect(readTask(task, join(root, "mine"))).rejects.toThrow("not below root");
  });
});
