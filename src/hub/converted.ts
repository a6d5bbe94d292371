import { z } from "zod";
import type { HubClient } from "./http.ts";
import { fetchCommit, fetchListing, type Listing } from "./listing.ts";
import { nameOf, type HubName } from "./names.ts";

/** The account of the hub's own converter, https://huggingface.co/spaces/safetensors/convert. Anybody may open a pull request. */
const CONVERTER = "SFconvertbot";
const MOST_PAGES = 20;
const MOST_ON_A_PAGE = 1000;
/** How many of the converter's pull requests are looked at, the newest ones: each takes a listing. */
const MOST_PULLS = 5;

const discussionSchema = z.object({
  num: z.int().min(1),
  status: z.string(),
  isPullRequest: z.boolean(),
  author: z.object({ name: z.string() }).nullish(),
});
const pageSchema = z.object({
  count: z.int(),
  start: z.int(),
  // looked at one by one: a long list of a wrong form would cost memory for each of them
  discussions: z.array(z.unknown()).max(MOST_ON_A_PAGE),
});

/** A commit of the converter's with the same weights in safetensors. */
export interface Converted {
  readonly name: HubName;
  readonly commit: string;
  readonly listing: Listing;
}

/** Commits of open pull requests by the hub's converter, which hold the very pickles that `listing` does, the newest first. */
export async function* findConverted(client: HubClient, name: HubName, listing: Listing): AsyncGenerator<Converted> {
  const numbers = new Set<number>();
  for (let page = 0; page < MOST_PAGES; page++) {
    const query = `p=${page}&type=pull_request&status=open&author=${CONVERTER}`;
    const { value } = await client.json(`/api/models/${name.repo}/discussions?${query}`, { what: name.repo });
    const parsed = pageSchema.safeParse(value);
    if (!parsed.success) break;
    const { start, count, discussions } = parsed.data;
    for (const discussion of discussions) {
      const { data } = discussionSchema.safeParse(discussion);
      if (data?.isPullRequest === true && data.status === "open" && data.author?.name === CONVERTER)
        numbers.add(data.num);
    }
    if (discussions.length === 0 || start + discussions.length >= count) break;
  }
  const newest = [...numbers].sort((a, b) => b - a).slice(0, MOST_PULLS);
  for (const number of newest) {
    const pull = { repo: name.repo, revision: `refs/pr/${number}` };
    const commit = await fetchCommit(client, pull);
    const converted = await fetchListing(client, pull, commit);
    if (hasSamePickles(listing, converted)) yield { name: pull, commit, listing: converted };
  }
}

/** Whether a conversion was made of these very weights, and not of others that have been replaced since. */
export function hasSamePickles(original: Listing, converted: Listing): boolean {
  const pickles = [...original.values()].filter(({ path }) => isPickle(path));
  return pickles.length > 0 && pickles.every(({ path, gitHash }) => converted.get(path)?.gitHash === gitHash);
}

export function isPickle(path: string): boolean {
  return /(^|\/)[\w-]*model[\w.-]*\.bin$/.test(path);
}

/** The lines that say a model has no weights that may be read, and how to convert them. */
export function pickleAdvice(name: HubName, pickle: string, pythonClass: string): string {
  const output = name.repo.split("/")[1];
  const processor = pythonClass.startsWith("transformers")
    ? `; from transformers import AutoProcessor as P; P.from_pretrained('${name.repo}', revision='${name.revision}').save_pretrained('${output}')`
    : "";
  return [
    `${nameOf(name)}: expected safetensors files, found only ${pickle}, a pickle file, which can run code and is never read; and the hub's converter has made none.`,
    `Convert it, if you trust its author, and give the folder ${output}: python -c "from ${pythonClass} as M; M.from_pretrained('${name.repo}', revision='${name.revision}').save_pretrained('${output}', safe_serialization=True)${processor}"`,
  ].join("\n");
}
