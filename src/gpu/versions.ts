/** Versions of Python packages and ranges of them, as far as these packages use them (PEP 440): released ones, and no epochs. */

/** "13.10.0.20" */
export type Version = readonly number[];

/** @returns undefined for what is no release: candidates, previews, local builds */
export function parseVersion(text: string): Version | undefined {
  if (!/^\d{1,9}(\.\d{1,9}){0,9}(\.post\d{1,9})?$/.test(text)) return undefined;
  return text.split(/\.(?:post)?/).map(Number);
}

/** Below 0 where `a` comes before `b`. */
export function compareVersions(a: Version, b: Version): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * Whether a version is in a range such as "~=13.0" or ">=9.1,<10". "" is every one.
 * @returns undefined where the range has a clause of another kind
 */
export function isIn(range: string, version: Version): boolean | undefined {
  const clauses = range
    .split(",")
    .map((clause) => clause.trim())
    .filter((clause) => clause !== "");
  let holds = true;
  for (const clause of clauses) {
    const answer = fits(clause, version);
    if (answer === undefined) return undefined;
    holds &&= answer;
  }
  return holds;
}

function fits(clause: string, version: Version): boolean | undefined {
  const [, operator, text, star] = /^(~=|==|!=|>=|<=|>|<)\s*([\d.]+?)(\.\*)?$/.exec(clause) ?? [];
  const limit = text === undefined ? undefined : parseVersion(text);
  if (operator === undefined || limit === undefined) return undefined;
  if (star !== undefined) {
    if (operator !== "==" && operator !== "!=") return undefined;
    return startsWith(version, limit) === (operator === "==");
  }
  const order = compareVersions(version, limit);
  switch (operator) {
    case "~=":
      return order >= 0 && startsWith(version, limit.slice(0, -1));
    case "==":
      return order === 0;
    case "!=":
      return order !== 0;
    case ">=":
      return order >= 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    default:
      return order < 0;
  }
}

function startsWith(version: Version, beginning: Version): boolean {
  return beginning.every((part, i) => (version[i] ?? 0) === part);
}
