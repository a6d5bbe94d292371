import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { makeWheel, wheelFile, type MadeWheel } from "./make-wheel.ts";

export interface FakeIndex {
  readonly url: URL;
  /** Ranges asked for, by file; "" for a whole one. */
  readonly asked: { readonly file: string; readonly range: string }[];
  /** Files that are not the ones of the index any more, by name. */
  readonly replaced: Map<string, Buffer>;
  format: "json" | "html";
  hasRanges: boolean;
  /** Sends only the first half of what is asked for, and then nothing for a long time. */
  isSlow: boolean;
  /** Ends each of so many answers with a file's bytes after this many of them. */
  cuts: { count: number; afterBytes: number };
  /** Told of each answer with a file's bytes. */
  onFile: (file: string) => void;
  close(): Promise<void>;
}

/** A Python package index with these wheels, and their files. */
export async function startIndex(wheels: readonly (MadeWheel & { readonly yanked?: boolean })[]): Promise<FakeIndex> {
  const files = new Map(wheels.map((wheel) => [wheelFile(wheel), { wheel, bytes: makeWheel(wheel) }]));
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "", "http://x").pathname;
    const page = /^\/simple\/([\w-]+)\/$/.exec(path)?.[1];
    const file = /^\/files\/(.+)$/.exec(path)?.[1];
    if (page !== undefined) answerPage(page, response);
    else if (file !== undefined && files.has(file)) answerFile(file, request, response);
    else response.writeHead(404).end("no such thing");
  });
  const answerPage = (name: string, response: ServerResponse): void => {
    const its = [...files].filter(([, { wheel }]) => wheel.name === name);
    if (its.length === 0) return void response.writeHead(404).end();
    const entries = its.map(([filename, { wheel, bytes }]) => ({
      filename,
      url: `../../files/${filename}`,
      hashes: { sha256: createHash("sha256").update(bytes).digest("hex") },
      yanked: wheel.yanked ?? false,
    }));
    if (index.format === "json") {
      response.setHeader("content-type", "application/vnd.pypi.simple.v1+json");
      return void response.end(JSON.stringify({ meta: { "api-version": "1.1" }, name, files: entries }));
    }
    response.setHeader("content-type", "text/html");
    const links = entries.map(
      ({ filename, url, hashes, yanked }) =>
        `<a href="${url}#sha256=${hashes.sha256}"${yanked ? ' data-yanked=""' : ""}>${filename}</a><br/>`,
    );
    response.end(`<!DOCTYPE html><html><body>${links.join("\n")}</body></html>`);
  };
  const answerFile = (file: string, { headers }: IncomingMessage, response: ServerResponse): void => {
    const bytes = index.replaced.get(file) ?? files.get(file)?.bytes ?? Buffer.alloc(0);
    const range = index.hasRanges ? (headers.range ?? "") : "";
    index.asked.push({ file, range });
    const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
    const begin = range === "" ? 0 : first === "" ? Math.max(0, bytes.length - Number(last)) : Number(first);
    const end = first === "" || last === "" ? bytes.length : Math.min(bytes.length, Number(last) + 1);
    if (range === "") response.writeHead(200, { "content-length": bytes.length });
    else
      response.writeHead(206, {
        "content-length": end - begin,
        "content-range": `bytes ${begin}-${end - 1}/${bytes.length}`,
      });
    index.onFile(file);
    if (index.cuts.count > 0 && end - begin > index.cuts.afterBytes) {
      index.cuts.count--;
      return void response.write(bytes.subarray(begin, begin + index.cuts.afterBytes), () => response.destroy());
    }
    // lists of contents are asked for by their distance from the end
    if (index.isSlow && first !== "" && end - begin > 70_000) {
      return void response.write(bytes.subarray(begin, begin + 40_000));
    }
    response.end(bytes.subarray(begin, end));
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const index: FakeIndex = {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`),
    asked: [],
    replaced: new Map(),
    format: "json",
    hasRanges: true,
    isSlow: false,
    cuts: { count: 0, afterBytes: 0 },
    onFile: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return index;
}
