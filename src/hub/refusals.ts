import { ModelError, UsageError } from "../system/errors.ts";
import { oneLine } from "../system/printable.ts";
import { NotOnHub } from "./errors.ts";
import type { HubAnswer } from "./answers.ts";
import type { HubSettings } from "./settings.ts";

/** An answer that says no. */
export interface Refusal extends Pick<HubAnswer, "status" | "headers"> {
  /** The beginning of the body. */
  readonly text: string;
  /** "owner/name", with ": file" behind it for a file. */
  readonly what: string;
  /** Whether another server than the hub says so. */
  readonly elsewhere: boolean;
}

/** The error for an answer that says no: what it means and what to do. The hub gives the reason in `X-Error-Code` and `X-Error-Message`. */
export function refusalOf({
  status,
  headers,
  text,
  what,
  settings,
  elsewhere,
}: Refusal & { readonly settings: HubSettings }): Error {
  const { endpoint, token, tokenSource } = settings;
  const code = headers["x-error-code"];
  const message = headers["x-error-message"] ?? "";
  const repo = what.split(":")[0];
  const page = `${endpoint.href.replace(/\/$/, "")}/${repo.split("@")[0]}`;
  const login =
    token === undefined ? `set HF_TOKEN (or write the token to ${tokenSource})` : `check the token of ${tokenSource}`;
  if (elsewhere) return new Error(`${what}: the hub's storage answers ${status}${brief(text)}; try again later`);
  if (code === "GatedRepo" || (status === 403 && /gated|restricted/i.test(message)))
    return new UsageError(`${repo}: its licence must be accepted first, at ${page}; then ${login}`);
  if (/access to this resource is disabled/i.test(message))
    return new UsageError(`${repo}: the hub has disabled this model`);
  if (
    status === 401 &&
    (/invalid (credentials|user)/i.test(message) || (token !== undefined && code !== "RepoNotFound"))
  )
    return new UsageError(`${endpoint.host} refuses the access token of ${tokenSource}; it may have expired`);
  if (code === "RevisionNotFound") return new NotOnHub(`${what}: the hub has no such revision of this model`);
  if (code === "EntryNotFound") return new NotOnHub(`${what}: the hub has no such file`);
  // what is private looks to strangers as if it were not there
  if (status === 401 || status === 404)
    return new NotOnHub(`${endpoint.host} has no model ${repo}; if it is private, ${login}`);
  if (status === 403) return new UsageError(`${what}: ${endpoint.host} denies access${brief(message)}; ${login}`);
  return new ModelError(`${what}: ${endpoint.host} answers ${status}${brief(message || text)}`);
}

/** What a server said, in brackets and fit to be printed; nothing where it said nothing. */
export function brief(text: string): string {
  const line = oneLine(text, 120);
  return line === "" ? "" : ` (${line})`;
}
