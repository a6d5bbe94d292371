import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { UsageError } from "../system/errors.ts";
import { reasonOf } from "../system/files.ts";
import { MOST_BYTES, readText } from "../system/regular-files.ts";

/** What the environment says about the hub, by the variables that Python's huggingface_hub reads. */
export interface HubSettings {
  /** "https://huggingface.co" */
  readonly endpoint: URL;
  /** The folder with `models--owner--name`. */
  readonly cache: string;
  readonly token: string | undefined;
  /** Where the token came from, or would be looked for: a variable or a file. */
  readonly tokenSource: string;
  /** No request is made. */
  readonly offline: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_ENDPOINT = "https://huggingface.co";

/** @throws UsageError naming the variable that makes no sense */
export async function readHubSettings(env: Environment = process.env): Promise<HubSettings> {
  // an empty variable is as good as none
  const get = (name: string): string | undefined => (env[name]?.trim() === "" ? undefined : env[name]?.trim());
  const path = (text: string) => resolve(expand(text, env));
  const home = path(get("HF_HOME") ?? join(get("XDG_CACHE_HOME") ?? join(homedir(), ".cache"), "huggingface"));
  const cache = path(get("HF_HUB_CACHE") ?? get("HUGGINGFACE_HUB_CACHE") ?? join(home, "hub"));
  const tokenFile = path(get("HF_TOKEN_PATH") ?? join(home, "token"));
  const variable = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"].find((name) => get(name) !== undefined);
  const implicit = !isTrue(get("HF_HUB_DISABLE_IMPLICIT_TOKEN"));
  const token = variable === undefined ? (implicit ? await readToken(tokenFile) : undefined) : get(variable);
  const tokenSource = variable ?? tokenFile;
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw new UsageError(`${tokenSource}: expected an access token, one word without spaces`);
  return {
    endpoint: endpointOf(get("HF_ENDPOINT") ?? DEFAULT_ENDPOINT),
    cache,
    token,
    tokenSource,
    offline: isTrue(get("HF_HUB_OFFLINE")) || isTrue(get("TRANSFORMERS_OFFLINE")),
  };
}

function endpointOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UsageError(`HF_ENDPOINT ${text}: expected an address such as ${DEFAULT_ENDPOINT}`);
  url.pathname = url.pathname.replace(/\/+$/, "");
  return url;
}

async function readToken(file: string): Promise<string | undefined> {
  try {
    return (await readText(file, { atMost: MOST_BYTES.word })).trim() || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new UsageError(`${file}: the access token cannot be read: ${reasonOf(error)}`);
  }
}

/** `~` and `$NAME` in a path, as Python's expanduser and expandvars have it. */
function expand(text: string, env: Environment): string {
  const named = text.replace(
    /\$(?:(\w+)|\{(\w+)\})/g,
    (all, bare?: string, braced?: string) => env[bare ?? braced ?? ""] ?? all,
  );
  return named === "~" || named.startsWith("~/") ? join(homedir(), named.slice(1)) : named;
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(1|on|yes|true)$/i.test(value);
}
