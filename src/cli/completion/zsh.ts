import { pathCases } from "./bash.ts";
import type { CommandWords, Flag } from "./words.ts";

/** A script for zsh, whose lists say what each word is. */
export function zshCompletion(all: readonly CommandWords[]): string {
  return `#compdef rpo
# zsh completion of rpo: put it into a folder of $fpath as _rpo, or source it after compinit
_rpo() {
  local cur="\${words[CURRENT]}" prev="\${words[CURRENT - 1]}" command="" i
  local -a list
  for ((i = 2; i < CURRENT; i++)); do
    case "$command/\${words[i]}" in
${pathCases(all, (path) => `command="${path}"`)}
    esac
  done
  case "$command $prev" in
${all.flatMap(valueCases).join("\n")}
  esac
  case "$command" in
${all.map((each) => wordCase(each, all)).join("\n")}
  esac
}
if [ "$funcstack[1]" = "_rpo" ]; then _rpo "$@"; else compdef _rpo rpo; fi
`;
}

function valueCases({ path, flags }: CommandWords): string[] {
  return flags.flatMap(({ names, takes }) => {
    if (takes === undefined) return [];
    const what = typeof takes === "object" ? `compadd -- ${takes.join(" ")}` : takes === "files" ? "_files" : ":";
    return `    ${names.map((name) => `"${path} ${name}"`).join(" | ")}) ${what}; return ;;`;
  });
}

function wordCase({ path, flags, argument, commands }: CommandWords, all: readonly CommandWords[]): string {
  const lists = [
    `list=(${flags.flatMap(described).join(" ")}); _describe -o flag list`,
    ...(commands.length === 0
      ? []
      : [`list=(${commands.map((name) => entry(name, aboutOf(path, name, all))).join(" ")}); _describe command list`]),
    ...(typeof argument === "object" ? [`compadd -- ${argument.join(" ")}`] : []),
    ...(argument === "files" ? ["_files"] : []),
  ];
  return `    "${path}") ${lists.join("; ")} ;;`;
}

function aboutOf(path: string, name: string, all: readonly CommandWords[]): string {
  return all.find((each) => each.path === `${path} ${name}`.trim())?.about ?? "";
}

function described({ names, about }: Flag): string[] {
  return names.map((name) => entry(name, about));
}

/** 'word:what it is' */
function entry(word: string, about: string): string {
  return `'${word}:${about.replaceAll("'", "'\\''")}'`;
}
