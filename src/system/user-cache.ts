import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The program's folder in the user's cache. */
export function userCache(env: Environment = process.env): string {
  const [variable, ...usual] =
    process.platform === "win32" ? ["LOCALAPPDATA", "AppData", "Local"] : ["XDG_CACHE_HOME", ".cache"];
  // a path that is not absolute is to be passed over (XDG Base Directory Specification)
  const named = env[variable]?.trim() ?? "";
  return join(isAbsolute(named) ? named : join(homedir(), ...usual), "rpo");
}
