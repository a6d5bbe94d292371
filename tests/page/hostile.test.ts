import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { request as rawRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { fromBufferPromise } from "yauzl";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeRun } from "../report/made-up-run.ts";
import { temporaryFolder } from "../run/cli.ts";
import { ACTION, serve, type Served } from "./server.ts";

/** Who asks for what must not be had: refused in a line, or harmless, and the server goes on. */

let runs: string;
let run: string;
let server: Served;
let id: string;

beforeAll(async () => {
  runs = await temporaryFolder();
  run = await makeRun();
  await symlink(run, join(runs, "link-to-a-run"));
  server = await serve([runs, run], "--no-token");
  const { runs: rows } = (await (await fetch(`${server.url}api/runs`)).json()) as { runs: { id: string }[] };
  id = rows[0].id;
}, 60_000);
afterAll(() => server.stop());

/** A request with any headers, which fetch would not send. */
function ask(
  path: string,
  { method = "GET", headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<{ status: number; text: string; headers: Record<string, unknown> }> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const asked = rawRequest({ hostname, port, path, method, headers }, (answer) => {
      let text = "";
      answer.on("data", (part: Buffer) => (text += part.toString()));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers }));
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

afterAll(async () => {
  // whatever was asked, the server still answers
  expect((await ask("/api/runs")).status).toBe(200);
});

describe("who may ask", () => {
  test.each(["evil.example", "localhost.evil.example", "127.0.0.1.evil.example"])(
    "a name that was made to lead here (%j) is told nothing",
    async (host) => expect((await ask("/api/runs", { headers: { host } })).status).toBeGreaterThanOrEqual(400),
  );

  test.each(["127.0.0.1", "localhost", "[::1]"])("this machine's own name %s is answered", async (host) =>
    expect((await ask("/api/runs", { headers: { host: `${host}:1` } })).status).toBe(200),
  );

  test("a page of another origin can neither read nor post", async () => {
    const askers: readonly Record<string, string>[] = [
      { origin: "https://evil.example" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
    ];
    for (const headers of askers) {
      expect((await ask("/api/runs", { headers })).status).toBe(403);
      const post = { method: "POST", headers: { ...ACTION, ...headers }, body: '{"paused":true}' };
      expect((await ask("/api/queue", post)).status).toBe(403);
    }
    expect(await (await fetch(`${server.url}api/queue`)).json()).toMatchObject({ paused: false });
  });

  test("a form's post, which needs no asking first, is refused", async () => {
    const headers = { "content-type": "text/plain" };
    expect((await ask("/api/queue", { method: "POST", headers, body: '{"paused":true}' })).status).toBe(403);
  });

  test("no page may hold this one, and nothing but its own script runs in it", async () => {
    const { headers } = await ask("/");
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
  });
});

test.each([
  ["this machine's own address", []],
  ["another one", ["--host", "0.0.0.0"]],
])("a token is asked for at %s: printed once, a cookie after that", async (_name, words) => {
  const open = await serve([runs], ...words);
  try {
    const { origin, searchParams, port } = new URL(open.printed.replace("0.0.0.0", "127.0.0.1"));
    const token = searchParams.get("token") ?? "";
    expect(token.length).toBeGreaterThan(20);
    const status = async (path: string, cookie = "") =>
      (await fetch(`${origin}${path}`, { headers: { cookie } })).status;
    expect(await status("/")).toBe(401);
    expect(await status("/api/runs")).toBe(401);
    expect(await status("/?token=wrong")).toBe(401);
    expect(await status(`/api/runs?token=${token}`)).toBe(401);
    const cookie = (await fetch(`${origin}/?token=${token}`)).headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/HttpOnly/i);
    expect(cookie).toMatch(/SameSite=Strict/i);
    expect(await status("/api/runs", cookie.split(";")[0])).toBe(200);
    expect(await status("/api/runs", `rpo-token-${port}=wrong`)).toBe(401);
  } finally {
    await open.stop();
  }
});

describe("names", () => {
  test.each([
    "../config.json",
    "images/../config.json",
    "images/..%2f..%2fetc%2fpasswd",
    "/etc/passwd",
    "images/../../secret.png",
    "images\\..\\config.json",
    "images/a\0.png",
    "config.json",
    "events.jsonl",
  ])("no picture is called %j", async (path) => {
    const { status } = await ask(`/api/runs/${id}/picture?path=${encodeURIComponent(path)}`);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });

  test("a picture that is a link out of the run's folder is not sent", async () => {
    const secret = join(await temporaryFolder(), "secret.png");
    await sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } })
      .png()
      .toFile(secret);
    await symlink(secret, join(run, "images", "validation-999-0-0.png"));
    const { status, text } = await ask(`/api/runs/${id}/picture?path=images/validation-999-0-0.png`);
    expect(status).toBe(422);
    expect(text).toMatch(/leads out/);
  });

  test("the archive of a run's pictures holds them byte for byte, and none from elsewhere", async () => {
    const secret = join(await temporaryFolder(), "secret.png");
    await writeFile(secret, pngOfSize(1, 1));
    const own = (await readdir(join(run, "images"))).filter((name) => !name.includes("999"));
    await symlink(secret, join(run, "images", "validation-999-0-1.png"));
    await writeFile(join(run, "images", "notes.txt"), "mine");
    await writeFile(join(run, "images", "page.png"), "<script>");
    const answer = await fetch(`${server.url}api/runs/${id}/pictures.zip`);
    expect(answer.headers.get("content-disposition")).toMatch(/^attachment; filename="[\w-]+-pictures\.zip"$/);
    const zip = await fromBufferPromise(Buffer.from(await answer.arrayBuffer()));
    const found = new Map<string, Buffer>();
    for await (const entry of zip.eachEntry()) {
      const parts: Buffer[] = [];
      for await (const part of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) parts.push(part);
      found.set(entry.fileName.replace(/^[\w-]+\/images\//, ""), Buffer.concat(parts));
    }
    expect([...found.keys()].sort()).toEqual(own.sort());
    for (const [name, content] of found) expect(content.equals(await readFile(join(run, "images", name)))).toBe(true);
  });

  test.each(["../../etc", "0".repeat(16), "%2e%2e", "'\"><script>"])("no run is called %j", async (name) => {
    const { status } = await ask(`/api/runs/${encodeURIComponent(name)}/sections`);
    expect(status).toBe(404);
  });

  test.each(["..%2f..%2fevil.png", ".hidden.png", "a%2fb.png", "a%5cb.png", "x%00.png"])(
    "no photo is taken under the name %s",
    async (name) => {
      const { batch } = (await (
        await fetch(`${server.url}api/photos`, { method: "POST", headers: ACTION })
      ).json()) as {
        batch: string;
      };
      const answer = await fetch(`${server.url}api/photos/${batch}/${name}`, {
        method: "PUT",
        headers: ACTION,
        body: "x",
      });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
    },
  );

  test("no photos are put into a folder of another name", async () => {
    const put = { method: "PUT", headers: ACTION, body: "x" };
    expect((await fetch(`${server.url}api/photos/..%2f..%2f/a.png`, put)).status).toBe(404);
  });
});

describe("uploads", () => {
  const batchOf = async () =>
    ((await (await fetch(`${server.url}api/photos`, { method: "POST", headers: ACTION })).json()) as { batch: string })
      .batch;

  test("one of 200 MB is refused before it is taken, and without being told its length too", async () => {
    const batch = await batchOf();
    const headers = { ...ACTION, "content-length": String(200e6) };
    expect(
      (await ask(`/api/photos/${batch}/a.png`, { method: "PUT", headers }).catch(() => ({ status: 413 }))).status,
    ).toBe(413);
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    let answered = "";
    socket.on("data", (part: Buffer) => (answered += part.toString()));
    socket.on("error", () => undefined);
    socket.write(
      `PUT /api/photos/${batch}/b.png HTTP/1.1\r\nHost: 127.0.0.1\r\nx-rpo: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const chunk = Buffer.alloc(1 << 20);
    let sent = 0;
    while (sent < 200 && !socket.destroyed && answered === "") {
      socket.write(`${chunk.length.toString(16)}\r\n`);
      socket.write(chunk);
      if (!socket.write("\r\n")) await anyOf(socket, "drain", "close", "data");
      sent++;
    }
    expect(sent).toBeLessThan(100);
    expect(answered === "" || answered.includes(" 413 ")).toBe(true);
    socket.destroy();
  });

  test("what is no picture is refused", async () => {
    const batch = await batchOf();
    for (const body of ["<script>alert(1)</script>", "<svg xmlns='http://www.w3.org/2000/svg'/>", "", "%PDF-1.4"]) {
      const answer = await fetch(`${server.url}api/photos/${batch}/a.png`, { method: "PUT", headers: ACTION, body });
      expect(answer.status).toBe(415);
    }
  });

  test("a picture that would cost gigabytes is named, and the others are shown", async () => {
    const batch = await batchOf();
    const good = await sharp({ create: { width: 64, height: 48, channels: 3, background: "teal" } })
      .png()
      .toBuffer();
    const bomb = pngOfSize(60_000, 60_000);
    for (const [name, body] of [
      ["good.png", good],
      ["bomb.png", bomb],
    ] as const)
      expect(
        (
          await fetch(`${server.url}api/photos/${batch}/${name}`, {
            method: "PUT",
            headers: ACTION,
            body: new Uint8Array(body),
          })
        ).status,
      ).toBe(200);
    const list = (await (await fetch(`${server.url}api/photos/${batch}`)).json()) as {
      photos: { name: string; problem?: string }[];
    };
    expect(list.photos).toMatchObject([
      { name: "bomb.png", problem: expect.stringMatching(/too large/) as unknown },
      { name: "good.png", width: 64, height: 48 },
    ]);
    expect((await fetch(`${server.url}api/photos/${batch}/bomb.png/cut`)).status).toBe(422);
    expect((await fetch(`${server.url}api/photos/${batch}/good.png/cut`)).status).toBe(200);
  });
});

/** Waits for the first of some events. */
async function anyOf(socket: Socket, ...names: readonly string[]): Promise<void> {
  const end = new AbortController();
  await Promise.race(names.map((name) => once(socket, name, { signal: end.signal }).catch(() => undefined)));
  end.abort();
}

/** A PNG's beginning that promises so many pixels. */
function pngOfSize(width: number, height: number): Buffer {
  const header = Buffer.alloc(33);
  Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]).copy(header);
  header.writeUInt32BE(13, 8);
  header.write("IHDR", 12);
  header.writeUInt32BE(width, 16);
  header.writeUInt32BE(height, 20);
  header.set([8, 2, 0, 0, 0], 24);
  header.writeUInt32BE(crc(header.subarray(12, 29)), 29);
  return Buffer.concat([header, chunkOf("IDAT", deflateSync(Buffer.alloc(100))), chunkOf("IEND", Buffer.alloc(0))]);
}

function chunkOf(type: string, data: Buffer): Buffer {
  const chunk = Buffer.alloc(data.length + 12);
  chunk.writeUInt32BE(data.length);
  chunk.write(type, 4);
  data.copy(chunk, 8);
  chunk.writeUInt32BE(crc(chunk.subarray(4, -4)), data.length + 8);
  return chunk;
}

function crc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return (value ^ 0xffffffff) >>> 0;
}

describe("bodies", () => {
  test.each([
    ["no JSON", "{", 400],
    ["a million levels", "[".repeat(100_000), 400],
    ["what is not asked for", '{"paused":true,"x":1}', 400],
    ["more than a form has", `{"paused":"${"a".repeat(300_000)}"}`, 413],
  ])("%s is refused", async (_name, body, status) => {
    expect((await fetch(`${server.url}api/queue`, { method: "POST", headers: ACTION, body })).status).toBe(status);
  });

  test("settings of a training are checked as the command line's are", async () => {
    const start = (settings: object) =>
      fetch(`${server.url}api/training/start`, { method: "POST", headers: ACTION, body: JSON.stringify({ settings }) });
    const bad = await start({ class: "dog", images: "/nowhere", lambda: "7" });
    expect(bad.status).toBe(422);
    expect(await bad.text()).toMatch(/--lambda/);
    expect((await start({ class: "dog", images: "/nowhere", __proto__x: "1" })).status).toBe(422);
  });
});

describe("streams", () => {
  test("of 200 that one address opens some are served, the others refused, and others' pages still load", async () => {
    const ends = Array.from({ length: 200 }, () => new AbortController());
    const answers = await Promise.all(
      ends.map(({ signal }) =>
        fetch(`${server.url}api/runs/${id}/stream`, { signal }).then(
          ({ status }) => status,
          () => 0,
        ),
      ),
    );
    expect(answers.filter((status) => status === 200).length).toBe(16);
    expect(answers.filter((status) => status === 429 || status === 0).length).toBe(184);
    expect((await ask("/api/runs")).status).toBe(200);
    for (const end of ends) end.abort();
    await expect
      .poll(async () => {
        const end = new AbortController();
        const { status } = await fetch(`${server.url}api/runs/${id}/stream`, { signal: end.signal });
        end.abort();
        return status;
      })
      .toBe(200);
  });

  test("a client that reads nothing holds up nobody", async () => {
    const { hostname, port } = new URL(server.url);
    const slow = Array.from({ length: 8 }, () => {
      const socket = connect(Number(port), hostname);
      socket.on("error", () => undefined);
      socket.write(`GET /api/runs/${id}/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
      socket.pause();
      return socket;
    });
    const begun = performance.now();
    expect((await ask("/api/runs")).status).toBe(200);
    expect(performance.now() - begun).toBeLessThan(2000);
    for (const socket of slow) socket.destroy();
  });
});

test("a run whose texts are markup is sent as text", async () => {
  const evil = `<img src=x onerror="alert(1)">`;
  const folder = await makeRun({ class: evil, prompts: [`a ${evil} on the beach`] });
  const other = await serve([folder], "--no-token");
  try {
    const { runs: rows } = (await (await fetch(`${other.url}api/runs`)).json()) as { runs: { id: string }[] };
    const { html } = (await (await fetch(`${other.url}api/runs/${rows[0].id}/sections`)).json()) as { html: string };
    expect(html).not.toContain("<img src=x");
    const report = await fetch(`${other.url}api/runs/${rows[0].id}/report.html`);
    expect(report.headers.get("content-disposition")).toMatch(/^attachment/);
    expect(await report.text()).not.toContain("<img src=x");
  } finally {
    await other.stop();
  }
});

test("a damaged log is named, and the server goes on", async () => {
  const folder = await makeRun();
  await writeFile(
    join(folder, "events.jsonl"),
    `${await readFile(join(folder, "events.jsonl"), "utf8")}{"type":"step","step":9}\n`,
  );
  await mkdir(join(folder, "checkpoints"), { recursive: true });
  const other = await serve([folder], "--no-token");
  try {
    const { runs: rows } = (await (await fetch(`${other.url}api/runs`)).json()) as { runs: { id: string }[] };
    const text = await (await fetch(`${other.url}api/runs/${rows[0].id}/stream`)).text();
    expect(text).toMatch(/"type":"problem".*line \d+/);
    expect((await fetch(`${other.url}api/runs`)).status).toBe(200);
  } finally {
    await other.stop();
  }
});
