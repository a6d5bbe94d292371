import type { GivenSettings } from "../../settings/parse.ts";

/** Options that have a value: an option that is undefined is as good as left out. */
export function givenOf(options: object): GivenSettings {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
