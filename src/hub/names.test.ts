import { join } from "node:path";
import { expect, test } from "vitest";
import { UsageError } from "../system/errors.ts";
import { repoCache, repoOfSnapshot } from "./cache.ts";
import { isPlainPath } from "./listing.ts";
import { nameOf, parseHubName } from "./names.ts";

test.each([
  ["owner/name", "owner/name", "main"],
  ["owner/name@v1.0", "owner/name", "v1.0"],
  ["o-w_n.er/n-a_m.e2@refs/pr/12", "o-w_n.er/n-a_m.e2", "refs/pr/12"],
  [`owner/name@${"0a".repeat(20)}`, "owner/name", "0a".repeat(20)],
  ["sd15", "stable-diffusion-v1-5/stable-diffusion-v1-5", "main"],
  ["sdxl@refs/pr/1", "stabilityai/stable-diffusion-xl-base-1.0", "refs/pr/1"],
])("%s is a name on the hub", (text, repo, revision) => {
  expect(parseHubName(text)).toEqual({ repo, revision });
});

test.each([
  ...[
    "name",
    "./owner/name",
    "/owner/name",
    "owner/name/",
    "a/b/c",
    "../name",
    "owner/..",
    "owner\\name",
    "",
    "C:/name",
  ],
  ...[
    "owner/na--me",
    "owner/na..me",
    "owner/name.git",
    "-owner/name",
    "owner/name-",
    "own er/name",
    "~/name",
    "toString",
  ],
  `owner/${"n".repeat(96)}`,
])("%s can only be a path", (text) => {
  expect(parseHubName(text)).toBeUndefined();
});

test.each(["", "..", "../x", "a/../b", "/a", "a//b", "a/", "a\\b", "a b", ".hidden", "a.lock", "a\0b", "a@b"])(
  "%j is no revision",
  (revision) => {
    expect(() => parseHubName(`owner/name@${revision}`)).toThrow(UsageError);
  },
);

test("a name is written as people write it", () => {
  expect(
    ["owner/name", "owner/name@v1"].map((text) => nameOf(parseHubName(text) ?? { repo: "", revision: "" })),
  ).toEqual(["owner/name", "owner/name@v1"]);
});

test("a snapshot's folder tells its model, other folders none", () => {
  const commit = "0a".repeat(20);
  const folder = repoCache("/cache", "o.w/n-a-m_e").snapshot(commit);
  expect(folder).toBe(join("/cache", "models--o.w--n-a-m_e", "snapshots", commit));
  expect(repoOfSnapshot(folder)).toEqual({ repo: "o.w/n-a-m_e", commit });
  for (const other of ["/models/sd15", join(folder, "unet"), "/models--a--b/snapshots/main"])
    expect(repoOfSnapshot(other), other).toBeUndefined();
});

test("paths that leave their folder on any system are not plain", () => {
  for (const path of ["a", "a/b.json", "a b/ü.txt", "..a/b.."]) expect(isPlainPath(path), path).toBe(true);
  for (const path of ["", "/a", "a/", "a//b", "..", "a/../b", ".", "a\\b", "C:a", "a\0", "a\nb", "a|b"])
    expect(isPlainPath(path), JSON.stringify(path)).toBe(false);
});
