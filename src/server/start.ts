import { randomBytes } from "node:crypto";
import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { createApp } from "./app.ts";
import { isLoopback } from "./guard.ts";

export interface StartOptions {
  /** Folders of runs, or runs themselves. */
  readonly folders: readonly string[];
  readonly host: string;
  readonly port: number;
}

export interface StartedServer {
  /** To open, with the token where one is needed. */
  readonly url: string;
  close(): Promise<void>;
}

/** Connections at a time, of all visitors. */
const MOST_CONNECTIONS = 256;

/** Starts the page's server. @throws UsageError where it cannot listen there */
export async function startServer({ folders, host, port }: StartOptions): Promise<StartedServer> {
  const token = isLoopback(host) ? undefined : randomBytes(24).toString("base64url");
  const page = await createApp(folders, { host, token });
  const server = createAdaptorServer({ fetch: page.app.fetch }) as Server;
  server.maxConnections = MOST_CONNECTIONS;
  await listen(server, host, port);
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  const name = host.includes(":") ? `[${host}]` : host;
  return {
    url: `http://${name}:${bound}/${token === undefined ? "" : `?token=${token}`}`,
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
