// Generated rules for benchmarks: as official ones are made (macros, lists, exceptions, negated
// lists), about programs and paths that differ from rule to rule.

/** A generator of numbers in [0, 1), the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const MACROS = `
- macro: opened
  condition: (evt.type in (open,openat,openat2) and fd.typechar='f' and fd.num>=0)
- macro: opened_write
  condition: (opened and evt.is_open_write=true)
- macro: opened_read
  condition: (opened and evt.is_open_read=true)
- macro: spawned
  condition: (evt.type in (execve, execveat))
- macro: connected_out
  condition: (evt.type = connect and fd.typechar in (4, 6) and evt.rawres >= 0)
`;

/** The text of a file of \`rules\` rules with \`lists\` lists and as many macros. */
export function generatedRules(rules: number, lists: number, seed = 1): string {
  const random = seeded(seed);
  const pick = (below: number) => Math.floor(random() * below);
  const parts = [MACROS];
  for (let index = 0; index < lists; index++) {
    const items = Array.from({ length: 8 }, () => `tool${pick(lists * 20)}`);
    parts.push(`- list: tools_${index}\n  items: [${items.join(", ")}]\n`);
    parts.push(
      `- macro: by_tools_${index}\n` +
        `  condition: (proc.name in (tools_${index}) or proc.pname in (tools_${index}))\n`,
    );
  }
  for (let index = 0; index < rules; index++) {
    const list = lists === 0 ? "sh, bash" : `tools_${index % lists}`;
    const macro = lists === 0 ? "proc.name = sh" : `by_tools_${index % lists}`;
    parts.push(
      `- rule: generated ${index}\n  desc: generated for a benchmark\n` +
        `  condition: >\n    ${condition(index, list, macro, pick)}\n` +
        "  output: seen (user=%user.name command=%proc.cmdline file=%fd.name)\n" +
        "  priority: WARNING\n  tags: [generated, host]\n",
    );
  }
  return parts.join("");
}

function condition(
  index: number,
  list: string,
  macro: string,
  pick: (below: number) => number,
): string {
  switch (index % 8) {
    case 0:
    case 1:
      return `opened_write and fd.name startswith /srv/app${index}/ and not proc.name in (${list})`;
    case 2:
      return `opened_read and fd.name in (/etc/app${index}, /root/.app${index}) and not ${macro}`;
    case 3:
      return `spawned and ${macro} and proc.args contains "--flag${index}"`;
    case 4:
      return `spawned and proc.name = prog${index} and proc.pname in (${list}) and user.uid = 0`;
    case 5:
      return `connected_out and ${macro} and fd.sport = ${1 + pick(65_000)}`;
    case 6:
      return `opened_write and fd.directory = /var/lib/app${index} and proc.aname in (${list})`;
    default:
      return `evt.type in (unlink, unlinkat, rename) and proc.exepath endswith /bin/app${index}`;
  }
}
