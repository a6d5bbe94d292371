import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Context, Hono } from "hono";
import { html, Html } from "../report/html.ts";
import { reasonOf } from "../system/files.ts";
import { packagePath } from "../system/package.ts";
import { readText } from "../system/regular-files.ts";
import { VERSION } from "../system/version.ts";

/** The page's own files, which `npm run build` puts into dist; read once, and sent compressed. */

interface Asset {
  readonly type: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly compressed: Uint8Array<ArrayBuffer>;
}

const DOCUMENT = html`${new Html("<!doctype html>")}
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>rpo</title>
      <link rel="icon" href="/icon.svg" />
      <link rel="stylesheet" href="/main.css?${VERSION}" />
      <script src="/main.js?${VERSION}" defer></script>
    </head>
    <body>
      <div id="page"></div>
      <noscript>The page needs JavaScript, of this server alone.</noscript>
    </body>
  </html> `.text;

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#c2410c"/><path d="M6 22 12 14l5 5 9-11" fill="none" stroke="#fff" stroke-width="3.4" stroke-linecap="round" stroke-linejoin="round"/></svg>`;

export async function addAssets(app: Hono): Promise<void> {
  const read = async (name: string): Promise<string> => {
    const path = packagePath("dist", "page", name);
    return readText(path).catch((error: unknown) => {
      throw new Error(`${path}: ${reasonOf(error)}; run npm run build`);
    });
  };
  const assets: readonly (readonly [path: string, type: string, text: string])[] = [
    ["/", "text/html; charset=utf-8", DOCUMENT],
    ["/icon.svg", "image/svg+xml", ICON],
    ["/main.css", "text/css; charset=utf-8", await read("main.css")],
    ["/main.js", "text/javascript; charset=utf-8", await read("main.js")],
  ];
  for (const [path, type, text] of assets) {
    const plain = Buffer.from(text);
    const asset = { type, plain, compressed: await promisify(gzip)(plain) };
    app.get(path, (c) => send(c, asset));
  }
}

function send(c: Context, { type, plain, compressed }: Asset): Response {
  c.header("content-type", type);
  c.header("vary", "accept-encoding");
  if (!/\bgzip\b/.test(c.req.header("accept-encoding") ?? "")) return c.body(plain);
  c.header("content-encoding", "gzip");
  return c.body(compressed);
}
