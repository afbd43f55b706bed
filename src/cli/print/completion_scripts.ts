// Completions of commands, options and their values for bash, zsh and fish: rows of commands come
// in, a script that the shell reads goes out. Each walks the words that are there to the command
// that they ask for, over the values of options, and offers what that command takes. None needs
// more than the shell itself.
import type { CommandRow, OptionRow, ValueKind } from "./command_table.ts";

export type Shell = "bash" | "zsh" | "fish";
export const SHELLS: readonly Shell[] = ["bash", "zsh", "fish"];

export function completionScript(shell: Shell, rows: readonly CommandRow[]): string {
  const head = `# Completions of saker for ${shell}, made by "saker completions ${shell}".\n`;
  switch (shell) {
    case "bash":
      return head + bash(rows);
    case "zsh":
      return `#compdef saker\n${head}${zsh(rows)}`;
    case "fish":
      return head + fish(rows);
  }
}

/** As the scripts name a command: `rules lint`; empty for saker itself. */
function nameOf({ path }: CommandRow): string {
  return path.join(" ");
}

function optionsOf({ own, shared }: CommandRow): readonly OptionRow[] {
  return [...own, ...shared];
}

/** Patterns `command:word` of a shell's `case`, for each option that takes a value. */
function patterns(row: CommandRow, wanted: (option: OptionRow) => boolean): string[] {
  return optionsOf(row).filter(wanted).flatMap(({ names }) =>
    names.map((name) => quoted(`${nameOf(row)}:${name}`))
  );
}

/** `[value]` may be left out, so the next word need not be one. */
function takesValue({ value }: OptionRow): boolean {
  return value.startsWith("<");
}

/** Arms of the walk's `case`, alike in bash and zsh. */
function walk(rows: readonly CommandRow[]): string {
  const valued = rows.flatMap((row) => patterns(row, takesValue)).map((one) => `      ${one}`);
  const steps = rows.flatMap((row) =>
    row.below.map((name) => {
      const path = [...row.path, name].join(" ");
      return `      ${quoted(`${nameOf(row)}:${name}`)}) at=${quoted(path)} ;;`;
    })
  );
  return `${valued.join(" | \\\n")}) skip=1 ;;\n${steps.join("\n")}`;
}

/** The arms that offer the value of an option which the word before is. */
function values(rows: readonly CommandRow[], offer: (kind: ValueKind) => string): string {
  const kinds = new Map<string, string[]>();
  for (const row of rows) {
    for (const option of optionsOf(row).filter(takesValue)) {
      const what = offer(option.kind);
      const arms = patterns(row, (one) => one === option);
      kinds.set(what, [...kinds.get(what) ?? [], ...arms]);
    }
  }
  return [...kinds].map(([what, arms]) =>
    `    ${arms.join(" | \\\n    ")})\n      ${what}\n      return ;;`
  ).join("\n");
}

function bash(rows: readonly CommandRow[]): string {
  const offer = (kind: ValueKind) => {
    if (kind === "file") return "_saker_paths -f";
    if (kind === "directory") return "_saker_paths -d";
    return kind === "text" ? ":" : `_saker_words ${quoted(kind.join(" "))}`;
  };
  const arms = rows.map((row) => {
    const options = optionsOf(row).flatMap(({ names }) => names).join(" ");
    const rest = row.below.length > 0
      ? `_saker_words ${quoted(row.below.join(" "))}`
      : offer(row.kind);
    return `    ${quoted(nameOf(row))})
      if [[ $word == -* ]]; then _saker_words ${quoted(options)}; else ${rest}; fi ;;`;
  });
  return `_saker_words() {
  while read -r; do COMPREPLY+=("$REPLY"); done < <(compgen -W "$1" -- "$word")
}

_saker_paths() {
  compopt -o filenames 2>/dev/null
  while read -r; do COMPREPLY+=("$REPLY"); done < <(compgen "$1" -- "$word")
}

_saker() {
  local at="" skip=0 i
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    if ((skip)); then skip=0; continue; fi
    case "$at:\${COMP_WORDS[i]}" in
${walk(rows)}
    esac
  done
  case "$at:$before" in
${values(rows, offer)}
  esac
  case "$at" in
${arms.join("\n")}
  esac
}

complete -F _saker saker
`;
}

function zsh(rows: readonly CommandRow[]): string {
  const offer = (kind: ValueKind) => {
    if (kind === "file") return "_files";
    if (kind === "directory") return "_files -/";
    return kind === "text" ? ":" : `compadd -- ${kind.map(quoted).join(" ")}`;
  };
  const described = (name: string, about: string) =>
    quoted(`${name.replaceAll(":", "\\:")}:${about.replaceAll("\n", " ")}`);
  const arms = rows.map((row) => {
    const options = optionsOf(row).flatMap(({ names, description }) =>
      names.map((name) => described(name, description))
    );
    const below = rows.filter(({ path }) =>
      path.length === row.path.length + 1 && row.path.every((word, at) => path[at] === word)
    );
    const commands = below.map(({ path, summary }) => described(path.at(-1)!, summary));
    const rest = commands.length === 0
      ? offer(row.kind)
      : `found=(\n        ${commands.join("\n        ")}\n      ); _describe command found`;
    return `    ${quoted(nameOf(row))})
      if [[ $word == -* ]]; then
        found=(
        ${options.join("\n        ")}
        ); _describe -o option found
      else
      ${rest}
      fi ;;`;
  });
  return `_saker() {
  local at="" word=\${words[CURRENT]} before=\${words[CURRENT-1]}
  local -a found
  integer i skip=0
  for (( i = 2; i < CURRENT; i++ )); do
    if (( skip )); then skip=0; continue; fi
    case "$at:\${words[i]}" in
${walk(rows)}
    esac
  done
  case "$at:$before" in
${values(rows, offer)}
  esac
  case "$at" in
${arms.join("\n")}
  esac
}

# Read by compinit as the function itself, by source as what defines it.
if [ "\${funcstack[1]-}" = _saker ]; then _saker "$@"; else compdef _saker saker; fi
`;
}

function fish(rows: readonly CommandRow[]): string {
  const valued = rows.flatMap((row) => patterns(row, takesValue));
  const steps = rows.flatMap((row) =>
    row.below.map((name) => {
      const pattern = quoted(`${nameOf(row)}:${name}`);
      return `            case ${pattern}\n                set at ${
        quoted([...row.path, name].join(" "))
      }`;
    })
  );
  const lines = rows.flatMap((row) => {
    const here = `complete -c saker -n ${quoted(`__saker_at "${nameOf(row)}"`)}`;
    const options = optionsOf(row).map(({ names, kind, description, value }) => {
      const flags = names.map((name) =>
        name.startsWith("--") ? `-l ${name.slice(2)}` : shortOf(name)
      );
      const wants = value.startsWith("<") ? ` ${fishValue(kind)}` : "";
      return `${here} ${flags.join(" ")}${wants} -d ${quoted(description)}`;
    });
    const below = rows.filter(({ path }) =>
      path.length === row.path.length + 1 && row.path.every((word, at) => path[at] === word)
    ).map(({ path, summary }) => `${here} -a ${quoted(path.at(-1)!)} -d ${quoted(summary)}`);
    const rest = row.below.length > 0 || row.kind === "text"
      ? []
      : [`${here} ${row.kind === "file" ? "-F" : fishValue(row.kind).replace("-x ", "")}`];
    return [...options, ...below, ...rest];
  });
  return `function __saker_at
    set -l at ""
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch "$at:$word"
            case ${valued.join(" ")}
                set skip 1
${steps.join("\n")}
        end
    end
    test "$at" = "$argv[1]"
end

complete -c saker -f
${lines.join("\n")}
`;
}

function shortOf(name: string): string {
  return `-s ${name.slice(1)}`;
}

function fishValue(kind: ValueKind): string {
  if (kind === "file") return "-r -F";
  if (kind === "directory") return '-x -a "(__fish_complete_directories)"';
  return kind === "text" ? "-x" : `-x -a ${quoted(kind.join(" "))}`;
}

/** For all three shells: between apostrophes nothing but these acts. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}
