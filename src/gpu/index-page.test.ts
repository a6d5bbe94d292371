import { expect, test } from "vitest";
import { parsePage } from "./index-page.ts";

const PAGE = new URL("https://index.example/simple/nvidia-cublas/");
const HASH = "ab".repeat(32);

test("a page in JSON and one in HTML list the same files", () => {
  const json = JSON.stringify({
    files: [
      { filename: "a-1-py3-none-win_amd64.whl", url: "../../files/a.whl", hashes: { sha256: HASH }, size: 7 },
      { filename: "a-2-py3-none-win_amd64.whl", url: "https://b.example/b.whl", hashes: {}, yanked: false },
      { filename: "a-3-py3-none-win_amd64.whl", url: "c.whl", yanked: "broken" },
    ],
  });
  const html = `<!DOCTYPE html><html><body>
    <a href="../../files/a.whl#sha256=${HASH}" data-requires-python="&gt;=3">a-1-py3-none-win_amd64.whl</a><br>
    <a class="x" href='https://b.example/b.whl'>a-2-py3-none-win_amd64.whl</a>
    <a href="c.whl" data-yanked="broken">a-3-py3-none-win_amd64.whl</a></body></html>`;
  const expected = [
    ["a-1-py3-none-win_amd64.whl", "https://index.example/files/a.whl", HASH],
    ["a-2-py3-none-win_amd64.whl", "https://b.example/b.whl", undefined],
  ];
  for (const [text, type] of [
    [json, "application/vnd.pypi.simple.v1+json"],
    [html, "text/html; charset=utf-8"],
  ] as const)
    expect(parsePage(text, type, PAGE).map(({ filename, url, sha256 }) => [filename, url.href, sha256])).toEqual(
      expected,
    );
});

test("links from a safe page to what is not safe, and to no address, are passed over", () => {
  const page = (url: string) => JSON.stringify({ files: [{ filename: "a", url }] });
  for (const url of ["http://index.example/a.whl", "file:///etc/passwd", "https://me:pw@b.example/a", "http://["])
    expect(parsePage(page(url), "application/json", PAGE)).toEqual([]);
});

test("what is no page of an index is said to be none", () => {
  expect(() => parsePage("hello", "text/plain", PAGE)).toThrow(/index\.example\/simple\/nvidia-cublas\/: expected a/);
  expect(() => parsePage("{", "application/json", PAGE)).toThrow(/expected JSON/);
  expect(() => parsePage("{}", "application/json", PAGE)).toThrow(/files: /);
});
