import type { CommandWords, Flag } from "./words.ts";

/** A script for fish. */
export function fishCompletion(all: readonly CommandWords[]): string {
  const lines = all.flatMap((each) => [
    ...commandLines(each, all),
    ...each.flags.map((flag) => flagLine(flag, each)),
    ...argumentLines(each),
  ]);
  return `# fish completion of rpo: put it into ~/.config/fish/completions/rpo.fish
complete -c rpo -f
${lines.join("\n")}
`;
}

/** When a command's own words are wanted: its names were given, and none of its commands'. */
function when({ path, commands }: CommandWords): string {
  const given = path === "" ? [] : path.split(" ").map((name) => `__fish_seen_subcommand_from ${name}`);
  const none = commands.length === 0 ? [] : [`not __fish_seen_subcommand_from ${commands.join(" ")}`];
  const conditions = [...given, ...none];
  return conditions.length === 0 ? "" : `-n ${quoted(conditions.join("; and "))} `;
}

function commandLines(each: CommandWords, all: readonly CommandWords[]): string[] {
  return each.commands.map((name) => {
    const about = all.find(({ path }) => path === `${each.path} ${name}`.trim())?.about ?? "";
    return `complete -c rpo ${when(each)}-a ${name} -d ${quoted(about)}`;
  });
}

function flagLine({ names, about, takes }: Flag, each: CommandWords): string {
  const flags = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(" ");
  const values =
    typeof takes === "object"
      ? ` -x -a ${quoted(takes.join(" "))}`
      : takes === "files"
        ? " -r -F"
        : takes === "words"
          ? " -x"
          : "";
  return `complete -c rpo ${when(each)}${flags}${values} -d ${quoted(about)}`;
}

function argumentLines(each: CommandWords): string[] {
  const { argument } = each;
  if (typeof argument === "object") return [`complete -c rpo ${when(each)}-a ${quoted(argument.join(" "))}`];
  return argument === "files" ? [`complete -c rpo ${when(each)}-F`] : [];
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
