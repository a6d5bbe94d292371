import { randomBytes } from "node:crypto";
import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { createApp, type PageServer } from "./app.ts";
import { isLoopback } from "./guard.ts";

export interface StartOptions {
  /** Folders of runs, or runs themselves. */
  readonly folders: readonly string[];
  readonly host: string;
  readonly port: number;
  /** Whether visitors show a token; others than this machine's always do. */
  readonly asksForToken: boolean;
}

export interface StartedServer {
  /** To open, with the token where one is needed. */
  readonly url: string;
  /** Lines for whoever started it: why there is no queue. */
  readonly notes: readonly string[];
  /** The folder of the page's own notes. */
  readonly home: string;
  close(): Promise<void>;
}

/** Connections at a time, of all visitors. */
const MOST_CONNECTIONS = 256;

const TOO_EARLY = () => new Response("The page is being opened.\n", { status: 503 });

/** Starts the page's server. @throws UsageError where it cannot listen there */
export async function startServer({ folders, host, port, asksForToken }: StartOptions): Promise<StartedServer> {
  if (!asksForToken && !isLoopback(host))
    throw new UsageError(
      say`${setting("host", host)}: other machines can ask there, so it takes a token; leave out ${setting("noToken")}`,
    );
  const token = asksForToken ? randomBytes(24).toString("base64url") : undefined;
  const state: { opened?: Promise<PageServer> } = {};
  const server = createAdaptorServer({
    fetch: async (request, env) =>
      state.opened === undefined ? TOO_EARLY() : (await state.opened).app.fetch(request, env),
  }) as Server;
  server.maxConnections = MOST_CONNECTIONS;
  await listen(server, host, port);
  state.opened = createApp(folders, { host, token });
  const page = await state.opened.catch((error: unknown) => {
    server.closeAllConnections();
    server.close();
    throw error;
  });
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  const name = host.includes(":") ? `[${host}]` : host;
  return {
    url: `http://${name}:${bound}/${token === undefined ? "" : `?token=${token}`}`,
    ...{ notes: page.notes, home: page.home },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await page.close();
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(refusalOf(error, host, port)));
    server.listen(port, host.replace(/^\[|\]$/g, ""), resolve);
  });
}

function refusalOf(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === "EADDRINUSE")
    return new UsageError(say`${setting("port", port)}: something listens there already; choose another, or 0 for any`);
  if (error.code === "EACCES")
    return new UsageError(say`${setting("port", port)}: not allowed to listen there; choose one above 1023`);
  if (error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND" || error.code === "EAI_AGAIN")
    return new UsageError(say`${setting("host", host)}: not an address of this machine`);
  return error;
}
