import { mkdtemp, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fetchModels } from "../../src/hub/fetch-models.ts";
import type { HubClient } from "../../src/hub/http.ts";
import { fetchListing, isPlainPath } from "../../src/hub/listing.ts";
import { isPickle } from "../../src/hub/converted.ts";
import { paceOver } from "../../src/hub/pace.ts";
import { readHubSettings } from "../../src/hub/settings.ts";
import { commit, entryOf, send, startFakeHub, type FakeHub, type FakeModel, type Fault } from "./fake-hub.ts";

/** A hub that would keep its clients for ever: whatever it does ends, with an error that says what it did. */

const text = (content: string) => Buffer.from(content);
const files = { "config.json": text('{"architectures":["ViTModel"]}'), "model.safetensors": Buffer.alloc(300_000, 7) };
const model: FakeModel = { refs: { main: commit("a") }, commits: { [commit("a")]: files } };

let folder: string;
let hub: FakeHub;
let said: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hub-hostile-"));
  said = [];
});
afterEach(async () => {
  await hub.close();
  await rm(folder, { recursive: true });
});

async function start(faults: Fault[], served: FakeModel = model): Promise<void> {
  hub = await startFakeHub({ "org/vit": served });
  hub.faults = faults;
}

async function fetchOne({ firstPauseMs = 1, silenceMs = 60 } = {}): Promise<string[]> {
  const settings = await readHubSettings({ HF_HOME: folder, HF_ENDPOINT: hub.url });
  const name = { repo: "org/vit", revision: "main" };
  const say = (line: string) => said.push(line);
  return fetchModels([{ name, kind: "image" }], { settings, say, firstPauseMs, silenceMs });
}

const requestsFor = (part: string) => hub.requests.filter(({ path }) => path.includes(part));

/** A client whose listing has a page for each number. */
function pages(page: (number: number) => { entries: unknown[]; bytes?: number; last?: boolean }, silenceMs = 30_000) {
  let number = 0;
  const client = {
    say: (line: string) => said.push(line),
    silenceMs,
    json: () => {
      const { entries, bytes = 100, last = false } = page(number++);
      return Promise.resolve({ value: entries, bytes, next: last ? undefined : new URL("http://hub/next") });
    },
  };
  return {
    asked: () => number,
    listing: fetchListing(client as unknown as HubClient, { repo: "org/vit", revision: "main" }, commit("a")),
  };
}
const file = (path: string) => entryOf(path, text("{}"));

describe("a listing", () => {
  test("that repeats its page ends with an error at the second", async () => {
    await start([
      ({ path }, response) =>
        path.includes("/tree/") &&
        send(response, 200, { link: `<${hub.url}${path}>; rel="next"` }, JSON.stringify([file("config.json")])),
    ]);
    await expect(fetchOne()).rejects.toThrow("org/vit: the hub's listing has no end: page 2 names nothing new");
    expect(requestsFor("/tree/")).toHaveLength(2);
  });

  test("whose pages hold directories alone for a while is read on", async () => {
    const { listing } = pages((i) =>
      i < 3 ? { entries: [{ type: "directory", path: `d${i}` }] } : { entries: [file("a.json")], last: true },
    );
    expect([...(await listing).keys()]).toEqual(["a.json"]);
  });

  test("of a new name a page ends at a thousand pages, and says meanwhile that it goes on", async () => {
    const { listing, asked } = pages((i) => ({ entries: [file(`${i}.json`)] }));
    await expect(listing).rejects.toThrow("has no end: 1001 names on 1001 pages, expected at most 100000 on 1000");
    expect(asked()).toBe(1001);
    expect(said[0]).toBe("org/vit: the hub lists 20 files so far");
  });

  test.each<[string, (i: number) => { entries: unknown[]; bytes?: number }, RegExp]>([
    ["too many bytes", (i) => ({ entries: [file(`${i}.json`)], bytes: 2 ** 25 }), /3 names on 3 pages.* 64 MiB$/],
    [
      "too many names on a page",
      () => ({ entries: Array.from({ length: 100_001 }, () => 1) }),
      /100001 names on a page/,
    ],
  ])("of %s is refused", async (_name, page, message) => {
    await expect(pages(page).listing).rejects.toThrow(message);
  });

  test("that takes too long is given up", async () => {
    await expect(pages((i) => ({ entries: [file(`${i}.json`)] }), 1e-6).listing).rejects.toThrow(/too long over/);
  });

  test("a path as long as a page is no path: patterns would look through it for hours", () => {
    expect(isPlainPath("model".repeat(201))).toBe(false);
    expect(isPickle(`${"a-model".repeat(100)}.bin`)).toBe(true);
  });
});

describe("what comes in drops", () => {
  /** Sends the head, then a byte each now and then, for ever. */
  const drip = (response: ServerResponse, status: number, headers: Record<string, string> = {}): true => {
    response.writeHead(status, headers);
    const timer = setInterval(() => response.write(" "), 15);
    response.on("close", () => clearInterval(timer));
    return true;
  };

  test("is given up: an answer that is no file", async () => {
    await start([({ path }, response) => path.includes("/tree/") && drip(response, 200)]);
    await expect(fetchOne()).rejects.toThrow(/^org\/vit: the hub's answer takes more than 0\.24 s; try again later/);
    expect(requestsFor("/tree/")).toHaveLength(1);
  });

  test("is given up: a refusal, whose status counts", async () => {
    await start([({ path }, response) => path.includes("/tree/") && drip(response, 403)]);
    await expect(fetchOne()).rejects.toThrow(/org\/vit: 127\.0\.0\.1:\d+ denies access/);
  });

  test("is given up: a redirect, which is followed", async () => {
    await start([
      ({ path }, response) =>
        path.includes("/revision/") && drip(response, 302, { location: "/api/models/org/vit/revisions" }),
    ]);
    await expect(fetchOne()).rejects.toThrow();
    expect(requestsFor("/revisions")).not.toEqual([]);
  });

  test("is given up: headers", async () => {
    await start([
      ({ path }, response) => {
        if (!path.includes("/tree/")) return false;
        const { socket } = response;
        socket?.write("HTTP/1.1 200 OK\r\n");
        let i = 0;
        const timer = setInterval(() => socket?.write(`x-${i++}: 1\r\n`), 15);
        socket?.on("close", () => clearInterval(timer));
        return true;
      },
    ]);
    await expect(fetchOne()).rejects.toThrow(/takes more than 0\.24 s|cannot be reached: UND_ERR_HEADERS_TIMEOUT/);
  });

  test("is given up: a file, large or small, in a line that says how much came", async () => {
    for (const [part, name] of [
      ["/config.json", "config.json"],
      ["/model.safetensors", "model.safetensors"],
    ]) {
      await start([({ path }, response) => path.endsWith(part) && path.includes("/resolve/") && drip(response, 200)]);
      await expect(fetchOne({ silenceMs: 40 })).rejects.toThrow(
        new RegExp(`^org/vit: ${name}: the download is too slow, \\d+ of \\d+ bytes so far`),
      );
      expect(requestsFor(part)).toHaveLength(5);
      await hub.close();
    }
    await start([]);
    expect(said.join()).toMatch(/org\/vit: config\.json: \d+ of 30 bytes so far/);
  });

  test("is given up: a few bytes a connection, however often", async () => {
    await start([
      ({ server, headers }, response, content) => {
        if (server !== "storage" || content === undefined) return false;
        const from = Number(/bytes=(\d+)/.exec(headers.range ?? "")?.[1] ?? 0);
        const range = { "content-range": `bytes ${from}-${content.byteLength - 1}/${content.byteLength}` };
        response.writeHead(from > 0 ? 206 : 200, { "content-length": content.byteLength - from, ...range });
        response.write(content.subarray(from, from + 1000), () => response.destroy());
        return true;
      },
    ]);
    await expect(fetchOne()).rejects.toThrow(/cut short again and again/);
    expect(hub.requests.filter(({ server }) => server === "storage").length).toBeLessThanOrEqual(6);
  });

  test("a slow line is none: a kilobyte a second is enough", () => {
    let now = 0;
    const at = (perSecond: number) => {
      const pace = paceOver(60_000, () => now);
      return Array.from({ length: 300 }, () => {
        now += 1000;
        return pace.isTooSlow(perSecond);
      }).includes(true);
    };
    expect([at(1000), at(999)]).toEqual([false, true]);
  });
});

test("a configuration of gigabytes is refused before it is fetched: there may be no room", async () => {
  const entries = [{ ...entryOf("config.json", text("{}")), size: 5e9 }];
  await start([], { ...model, entries });
  await expect(fetchOne()).rejects.toThrow(
    "org/vit: config.json has 5000000000 bytes, expected at most 67108864 of a configuration or a vocabulary",
  );
  expect(requestsFor("/resolve/")).toEqual([]);
});

test("weights in more files than models have are refused", async () => {
  const names = Array.from({ length: 1001 }, (_, i) => [`t${i}`, `m${i}.safetensors`]);
  const index = text(JSON.stringify({ weight_map: Object.fromEntries(names) as object }));
  const served = { "config.json": text("{}"), "model.safetensors.index.json": index };
  await start([], { ...model, commits: { [commit("a")]: served } });
  await expect(fetchOne()).rejects.toThrow("weights in 1001 files, expected at most 1000");
});

test("of the converter's pull requests the newest few are looked at", async () => {
  const pickled = { "config.json": text('{"architectures":["ViTModel"]}'), "pytorch_model.bin": text("pickle") };
  const pulls = Array.from({ length: 50 }, (_, i) => ({ num: i + 1, author: "SFconvertbot" }));
  const refs = Object.fromEntries(pulls.map(({ num }) => [`refs/pr/${num}`, commit("d")]));
  const other = { ...pickled, "pytorch_model.bin": text("another") };
  await start([], {
    pulls,
    refs: { main: commit("a"), ...refs },
    commits: { [commit("a")]: pickled, [commit("d")]: other },
  });
  await expect(fetchOne()).rejects.toThrow(/found only pytorch_model\.bin/);
  expect(requestsFor("/revision/refs").map(({ path }) => path.split("pr%2F")[1])).toEqual([
    "50",
    "49",
    "48",
    "47",
    "46",
  ]);
});

test.each(["0", "Thu, 01 Jan 1970 00:00:00 GMT", "-5"])(
  "asked to try again after %s, it waits all the same",
  async (time) => {
    await start([(_request, response) => send(response, 503, { "retry-after": time })]);
    const begun = performance.now();
    await expect(fetchOne({ firstPauseMs: 20 })).rejects.toThrow(/answers 503/);
    expect(performance.now() - begun).toBeGreaterThan(20 + 40 + 80 + 160 - 10);
    expect(hub.requests).toHaveLength(5);
  },
);

test("an address that cannot be read is said to be none, not to be a redirect without end", async () => {
  await start([(_request, response) => send(response, 302, { location: "http://[nowhere" })]);
  await expect(fetchOne()).rejects.toThrow(
    /^127\.0\.0\.1:\d+: redirects to what is no address \(http:\/\/\[nowhere\)$/,
  );
});
