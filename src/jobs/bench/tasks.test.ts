import { expect, test } from "vitest";
import { parseTask } from "./tasks.ts";

const task = { kind: "photos", folder: "/out/photos/0123456789abcdef", settings: { references: "/photos" } };

test("a job is a task in one of a benchmark's folders", () => expect(parseTask(task)).toEqual(task));

test.each<[string, unknown]>([
  ["a folder of the user's", { ...task, folder: "/home/someone" }],
  ["a folder of another kind", { ...task, folder: "/out/train/0123456789abcdef" }],
  ["a path that goes up", { ...task, folder: "/out/../photos/0123456789abcdef" }],
  ["a relative path", { ...task, folder: "out/photos/0123456789abcdef" }],
  ["an unknown kind", { ...task, kind: "shell", folder: "/out/shell/0123456789abcdef" }],
  ["no settings", { ...task, settings: undefined }],
  ["text", "rm -rf /"],
])("a job with %s is refused", (_name, data) => expect(() => parseTask(data)).toThrow(/^the job/));
