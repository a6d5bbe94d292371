import type { CommandWords, Takes } from "./words.ts";

/** A script for bash from 3.2 on, which macOS has: where it offers nothing, bash completes files. */
export function bashCompletion(all: readonly CommandWords[]): string {
  return `# bash completion of rpo: source it, or put it into ~/.local/share/bash-completion/completions/rpo
_rpo() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD - 1]}" command="" i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$command/\${COMP_WORDS[i]}" in
${pathCases(all, (path) => `command="${path}"`)}
    esac
  done
  case "$command $prev" in
${all.flatMap(valueCases).join("\n")}
  esac
  case "$command" in
${all.map(wordCase).join("\n")}
  esac
}
complete -o bashdefault -o default -F _rpo rpo
`;
}

/** Cases that find the command among the words: of bash and zsh alike. */
export function pathCases(all: readonly CommandWords[], then: (path: string) => string): string {
  return all
    .flatMap(({ path, commands }) =>
      commands.map((name) => `      "${path}/${name}") ${then(path === "" ? name : `${path} ${name}`)} ;;`),
    )
    .join("\n");
}

/** A flag's value: one of its words, or whatever the shell makes of it. */
function valueCases({ path, flags }: CommandWords): string[] {
  return flags
    .filter(({ takes }) => takes !== undefined)
    .map(({ names, takes }) => {
      const pattern = names.map((name) => `"${path} ${name}"`).join(" | ");
      return `    ${pattern}) ${isList(takes) ? offer(takes) : ""}return ;;`;
    });
}

function wordCase({ path, flags, argument, commands }: CommandWords): string {
  const words = [...commands, ...(isList(argument) ? argument : [])];
  const names = flags.flatMap((flag) => flag.names);
  const others = words.length === 0 && argument !== undefined ? "" : `\n      else ${offer([...words, ...names])}`;
  return `    "${path}")
      if [[ $cur == -* ]]; then ${offer(names)}${others}
      fi ;;`;
}

function isList(takes: Takes): takes is readonly string[] {
  return typeof takes === "object";
}

function offer(words: readonly string[]): string {
  return `COMPREPLY=($(compgen -W "${words.join(" ")}" -- "$cur")); `;
}
