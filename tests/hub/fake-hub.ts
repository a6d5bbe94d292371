import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A model on the fake hub. */
export interface FakeModel {
  /** Files by commit; those that end in .safetensors or .bin are large ones, kept in the storage. */
  readonly commits: Record<string, Record<string, Buffer>>;
  readonly refs: Record<string, string>;
  readonly access?: "gated" | "private";
  readonly pulls?: readonly { readonly num: number; readonly author: string; readonly status?: string }[];
  /** Further entries of the listing, as they are. */
  readonly entries?: readonly unknown[];
}

export interface Seen {
  readonly server: "hub" | "storage";
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

/** Answers a request otherwise than a hub would. @returns whether it has */
export type Fault = (request: Seen, response: ServerResponse, content: Buffer | undefined) => boolean;

export interface FakeHub {
  readonly url: string;
  readonly requests: Seen[];
  /** Tried in turn on each request. */
  faults: Fault[];
  /** Entries of a page of the listing. */
  pageSize: number;
  close(): Promise<void>;
}

export const TOKEN = "hf_secret";

/** Commits by a letter: "aaa...". */
export const commit = (letter: string): string => letter.repeat(40);

/** Speaks as much of the hub's protocol as its clients need, from two ports: the hub's and the storage's, as of another host. */
export async function startFakeHub(models: Record<string, FakeModel>): Promise<FakeHub> {
  const contents = new Map<string, Buffer>();
  for (const { commits } of Object.values(models))
    for (const files of Object.values(commits))
      for (const content of Object.values(files)) contents.set(sha256(content), content);

  const hub: FakeHub = { url: "", requests: [], faults: [], pageSize: 1000, close: () => Promise.resolve() };
  const storage = await listen((request, response) => {
    const content = contents.get((request.url ?? "").slice(1));
    if (noted("storage", request, response, content)) return true;
    if (content === undefined) return send(response, 404, {}, "no such content");
    return sendContent(request, response, content, {});
  });
  const main = await listen((request, response) => {
    const url = new URL(request.url ?? "", hub.url);
    const path = decodeURIComponent(url.pathname);
    const found = /^\/(?:api\/models\/)?([^/]+\/[^/]+)\/(.*)$/.exec(path);
    const model = models[found?.[1] ?? ""];
    const [verb, ...rest] = (found?.[2] ?? "").split("/");
    const resolved = verb === "resolve" ? fileOf(model, rest) : undefined;
    if (noted("hub", request, response, resolved?.content)) return true;
    const known = request.headers.authorization === `Bearer ${TOKEN}`;
    if (request.headers.authorization !== undefined && !known)
      return send(response, 401, { "x-error-message": "Invalid credentials in Authorization header" }, "");
    if (model === undefined || (model.access === "private" && !known))
      return send(
        response,
        known ? 404 : 401,
        { "x-error-code": "RepoNotFound" },
        JSON.stringify({ error: "Repository not found" }),
      );
    if (model.access === "gated" && verb !== "revision" && verb !== "tree")
      return send(response, known ? 403 : 401, { "x-error-code": "GatedRepo" }, "Access to model is restricted.");
    if (verb === "revision") return sendRevision(response, found?.[1] ?? "", model, rest.join("/"));
    if (verb === "tree") return sendTree(response, model, rest.join("/"), url);
    if (verb === "discussions") {
      const discussions = (model.pulls ?? []).map(({ num, author, status = "open" }) => ({
        num,
        status,
        isPullRequest: true,
        author: { name: author },
      }));
      return json(response, { discussions, count: discussions.length, start: 0 });
    }
    if (resolved === undefined) return send(response, 404, { "x-error-code": "EntryNotFound" }, "Entry not found");
    const headers = { "x-repo-commit": resolved.commit };
    if (!isLarge(resolved.path))
      return sendContent(request, response, resolved.content, { ...headers, etag: `"${gitHash(resolved.content)}"` });
    const hash = sha256(resolved.content);
    return send(response, 302, {
      ...headers,
      location: `${address(storage)}/${hash}`,
      "x-linked-etag": `"${hash}"`,
      "x-linked-size": String(resolved.content.byteLength),
    });
  });
  Object.assign(hub, {
    url: address(main),
    async close() {
      for (const server of [main, storage]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  });
  return hub;

  function noted(
    server: Seen["server"],
    request: IncomingMessage,
    response: ServerResponse,
    content: Buffer | undefined,
  ): boolean {
    const seen = { server, method: request.method ?? "", path: request.url ?? "", headers: request.headers };
    hub.requests.push(seen);
    return hub.faults.some((fault) => fault(seen, response, content));
  }

  function sendTree(response: ServerResponse, { commits, entries = [] }: FakeModel, sha: string, url: URL): true {
    if (!Object.hasOwn(commits, sha)) return send(response, 404, { "x-error-code": "RevisionNotFound" }, "");
    const files = Object.entries(commits[sha]).map(([path, content]) => entryOf(path, content));
    const all = [...files, ...entries];
    const start = Number(url.searchParams.get("cursor") ?? 0);
    const end = start + hub.pageSize;
    url.searchParams.set("cursor", String(end));
    return json(response, all.slice(start, end), end < all.length ? { link: `<${url.href}>; rel="next"` } : {});
  }
}

export function entryOf(path: string, content: Buffer): object {
  const { byteLength: size } = content;
  const plain = { type: "file", path, size, oid: gitHash(content) };
  return isLarge(path) ? { ...plain, lfs: { oid: sha256(content), size, pointerSize: 130 } } : plain;
}

function sendRevision(response: ServerResponse, id: string, { refs, commits }: FakeModel, revision: string): true {
  const sha = Object.hasOwn(refs, revision) ? refs[revision] : revision;
  if (!Object.hasOwn(commits, sha)) return send(response, 404, { "x-error-code": "RevisionNotFound" }, "");
  return json(response, {
    _id: "1",
    id,
    modelId: id,
    sha,
    private: false,
    siblings: [],
    tags: [],
    downloads: 0,
    likes: 0,
  });
}

function fileOf(model: FakeModel | undefined, [revision, ...parts]: readonly string[]) {
  const sha = model?.refs[revision] ?? revision;
  const path = parts.join("/");
  const content = model?.commits[sha]?.[path];
  return content === undefined ? undefined : { commit: sha, path, content };
}

function isLarge(path: string): boolean {
  return /\.(safetensors|bin)$/.test(path);
}

export function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

export function gitHash(content: Buffer): string {
  return createHash("sha1").update(`blob ${content.byteLength}\0`).update(content).digest("hex");
}

function sendContent(
  request: IncomingMessage,
  response: ServerResponse,
  content: Buffer,
  headers: Record<string, string>,
): true {
  const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? NaN);
  const part = Number.isNaN(from) ? content : content.subarray(from);
  const range = { "content-range": `bytes ${from}-${content.byteLength - 1}/${content.byteLength}` };
  response.writeHead(Number.isNaN(from) ? 200 : 206, {
    "content-length": String(part.byteLength),
    "accept-ranges": "bytes",
    ...headers,
    ...(!Number.isNaN(from) && range),
  });
  response.end(request.method === "HEAD" ? undefined : part);
  return true;
}

function json(response: ServerResponse, value: unknown, headers: Record<string, string> = {}): true {
  return send(response, 200, { "content-type": "application/json", ...headers }, JSON.stringify(value));
}

/** Answers a request. @returns true, as a fault that has answered does */
export function send(response: ServerResponse, status: number, headers: Record<string, string>, body = ""): true {
  response.writeHead(status, { "content-length": String(Buffer.byteLength(body)), ...headers });
  response.end(body);
  return true;
}

async function listen(handle: (request: IncomingMessage, response: ServerResponse) => boolean): Promise<Server> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function address(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
