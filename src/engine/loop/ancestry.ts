// Where the process of an event came from: the tables come in, a list from the process itself up to
// the first that is known goes out. What is not known is left out and said to be.
import { asItIs } from "../../fields/rows/kin.ts";
import { commandLine, joinShort } from "../../fields/text/arguments_text.ts";
import type { Context } from "../../state/contract/context.ts";
import type { Machine } from "../../state/contract/machine.ts";
import { type Birth, type Thread, UNCOUNTED } from "../../state/tables/thread.ts";
import { shownText } from "../../words/raw_text.ts";
import type { ProcessTold } from "../contract/dossier.ts";

/** Of more processes the nearest are told, and the last that are known. */
const NEAREST = 24;
const LAST = 8;
/** Characters of a command line: of a longer one both ends. */
const LINE_MAX = 1_024;
const NS_PER_MS = 1e6;

/** Undefined for events without a process that is known. */
export function processesOf({ machine, thread }: Context): ProcessTold[] | undefined {
  if (thread === undefined || thread.isInvalid) return undefined;
  const process = machine.mainOf(thread) ?? thread;
  const told = [own(machine, process)];
  const above = process.birth === undefined ? [] : ancestorsOf(process.birth);
  const cut = above.length - NEAREST - LAST;
  for (let at = 0; at < above.length; at++) {
    const from = at;
    if (cut > 0 && at === NEAREST) at += cut;
    const links = above.slice(from, at + 1);
    const between = betweenOf(links);
    told.push({
      ...ancestor(machine, above[at]!.maker),
      ...(links.some(({ born }) => born.listed) ? { listed: true } : {}),
      ...(between === 0 ? {} : { between: between === UNCOUNTED ? -1 : between }),
    });
  }
  return told;
}

interface Link {
  readonly born: Birth;
  readonly maker: Birth;
}

/** More ancestors are not walked, as by fields. */
const LEVELS_MAX = 1_024;

function ancestorsOf(birth: Birth): Link[] {
  const links: Link[] = [];
  let born = birth;
  while (born.maker !== undefined && links.length < LEVELS_MAX) {
    links.push({ born, maker: born.maker });
    born = born.maker;
  }
  return links;
}

/** How many there are between, where those of all links but the last are left out. */
function betweenOf(links: readonly Link[]): number {
  if (links.some(({ born }) => born.between === UNCOUNTED)) return UNCOUNTED;
  return links.reduce((sum, { born }) => sum + born.between, links.length - 1);
}

function own(machine: Machine, process: Thread): ProcessTold {
  return {
    pid: process.pid,
    ...programOf(machine, process),
    cmdline: lineOf(machine, process),
    ...startOf(process.birth?.madeNs || Number(process.cloneTs)),
  };
}

function ancestor(machine: Machine, birth: Birth): ProcessTold {
  const known = asItIs(birth);
  const hasLine = birth.thread !== undefined || birth.hasArgs;
  return {
    pid: birth.pid,
    ...programOf(machine, known),
    ...(hasLine ? { cmdline: lineOf(machine, known) } : {}),
    ...startOf(birth.madeNs || Number(birth.thread?.cloneTs ?? 0n)),
    ...(birth.thread === undefined ? { past: true } : {}),
  };
}

function programOf(
  { strings }: Machine,
  { comm, exe, exepath }: Pick<Thread, "comm" | "exe" | "exepath">,
): Pick<ProcessTold, "name" | "exe" | "exepath"> {
  const text = (id: number) => shownText(strings.text(id) ?? "");
  return { name: text(comm), exe: text(exe), exepath: text(exepath) };
}

function lineOf(machine: Machine, of: Pick<Thread, "comm" | "args">): string {
  const line = shownText(commandLine(machine, of, joinShort));
  if (line.length <= LINE_MAX) return line;
  const half = LINE_MAX / 2;
  return `${line.slice(0, half)} … ${line.slice(-half)}`;
}

function startOf(ns: number): Pick<ProcessTold, "startedMs"> {
  return ns > 0 ? { startedMs: Math.floor(ns / NS_PER_MS) } : {};
}
