import { isHere } from "../hub/http.ts";
import { homedir } from "node:os";
import { join } from "node:path";
import { UsageError, type Message, type NamedSetting } from "../system/errors.ts";
import { reasonOf } from "../system/files.ts";
import { everyLine } from "../system/lines-or-json.ts";
import { say, setting } from "../system/message.ts";
import { MOST_BYTES, readText } from "../system/regular-files.ts";

/** Where Python packages come from. */
export interface IndexAddress {
  /** Without names and passwords, and without a slash at its end. */
  readonly url: URL;
  /** What the index, and nobody else, is told of who asks. */
  readonly authorization: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_INDEX = "https://pypi.org/simple";

/**
 * The index as pip would take it (https://pip.pypa.io/en/stable/topics/configuration): what was given, else PIP_INDEX_URL, else pip's
 * configuration files, else PyPI.
 * @param given with --index
 * @throws UsageError naming where an address is from that makes no sense
 */
export async function findIndex(given: string | undefined, env: Environment = process.env): Promise<IndexAddress> {
  if (given !== undefined) return addressOf(given, setting("index"));
  const variable = env["PIP_INDEX_URL"]?.trim() ?? "";
  if (variable !== "") return addressOf(variable, "PIP_INDEX_URL");
  for (const path of configFiles(env)) {
    const index = indexIn(await readConfig(path));
    if (index !== undefined) return addressOf(index, path);
  }
  return addressOf(DEFAULT_INDEX, "");
}

/** pip's files, the first of which to name an index wins. */
export function configFiles(env: Environment): readonly string[] {
  const get = (name: string) => (env[name]?.trim() === "" ? undefined : env[name]?.trim());
  const own = get("PIP_CONFIG_FILE");
  // pip reads none at all when told to read nothing
  if (own === "/dev/null" || own?.toLowerCase() === "nul") return [];
  const environment = get("VIRTUAL_ENV");
  const home = get("HOME") ?? homedir();
  const isWindows = process.platform === "win32";
  const file = isWindows ? "pip.ini" : "pip.conf";
  const users = isWindows
    ? [join(get("APPDATA") ?? join(home, "AppData", "Roaming"), "pip", file), join(home, "pip", file)]
    : [join(get("XDG_CONFIG_HOME") ?? join(home, ".config"), "pip", file), join(home, ".pip", file)];
  const machines = isWindows
    ? [join(get("PROGRAMDATA") ?? "C:\\ProgramData", "pip", file)]
    : [
        ...(get("XDG_CONFIG_DIRS") ?? "/etc/xdg").split(":").map((folder) => join(folder, "pip", file)),
        "/etc/pip.conf",
      ];
  return [
    ...(own === undefined ? [] : [own]),
    ...(environment === undefined ? [] : [join(environment, file)]),
    ...users,
    ...machines,
  ];
}

async function readConfig(path: string): Promise<string> {
  try {
    return await readText(path, { atMost: MOST_BYTES.text });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return "";
    throw new UsageError(`${path}: pip's configuration cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

/** `index-url` of pip's configuration: that of `pip install` before the one for all commands. */
export function indexIn(config: string): string | undefined {
  const found = new Map<string, string>();
  let section = "";
  for (const line of everyLine(config)) {
    section = /^\[([^\]]*)\]/.exec(line)?.[1]?.trim() ?? section;
    const value = /^index[-_]url\s*[=:]\s*(.+)$/.exec(line)?.[1]?.trim();
    if (value !== undefined) found.set(section, value);
  }
  return found.get("install") ?? found.get("global");
}

function addressOf(text: string, source: Message | NamedSetting): IndexAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UsageError(say`${source}: expected a Python package index's address such as ${DEFAULT_INDEX}`);
  if (url.protocol === "http:" && !isHere(url))
    throw new UsageError(say`${source}: expected https, for libraries that this program loads`);
  const { username, password } = url;
  url.username = "";
  url.password = "";
  url.pathname = url.pathname.replace(/\/+$/, "");
  const words = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = words === ":" ? undefined : `Basic ${Buffer.from(words).toString("base64")}`;
  return { url, authorization };
}
