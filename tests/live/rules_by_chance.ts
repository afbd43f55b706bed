// Rules on the names that triggers/wander.py uses, made from a seed.
import { Chance } from "../../src/rules/check/condition_fixture.ts";

const OPENS = ["open", "openat", "openat2", "creat"];
const USES = ["fchmod", "dup", "dup2", "dup3", "fcntl", "fchdir", "linkat", "newfstatat"];
const NAMED = ["chmod", "fchmodat", "unlinkat", "mkdirat", "chdir", "linkat"];
const FIELDS = ["fd.name", "fd.name", "fd.directory", "fd.filename", "fd.nameraw", "fs.path.name"];
const POSITIVE = ["=", "in", "startswith", "endswith", "contains", "glob", "pmatch"];
const OPERATORS = ["!=", ...POSITIVE];
const OTHERS = [
  "evt.is_open_write=true",
  "evt.is_open_read=true",
  "evt.is_open_create=true",
  "evt.rawres>=0",
  "evt.failed=true",
  "fd.typechar='f'",
  "fd.type=directory",
  "fd.num>=0",
  "fd.num=3",
];

/** The texts of rules; each is restricted to programs with the marker in their arguments. */
export function rulesByChance(seed: number, top: string, marker: string, count: number): string {
  const chance = new Chance(seed);
  const rules = Array.from({ length: count }, (_, index) => ({
    rule: `by chance ${index}`,
    desc: "made from a seed",
    condition: `evt.type in (${types(chance).join(", ")}) and ${narrowed(chance, top)} ` +
      `and proc.cmdline contains ${marker}`,
    output: "%evt.type res=%evt.res name=%fd.name raw=%fd.nameraw type=%fd.type num=%fd.num " +
      "path=%fs.path.name source=%fs.path.source cwd=%proc.cwd pid=%proc.pid args=%evt.args",
    priority: "NOTICE",
  }));
  return JSON.stringify(rules);
}

function types(chance: Chance): readonly string[] {
  switch (chance.below(10)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return OPENS;
    case 4:
      // With these rules every open is kept.
      return chance.below(12) === 0 ? ["close"] : OPENS;
    case 5:
    case 6:
      return chance.some(NAMED, 3);
    default:
      return chance.some(USES, 3);
  }
}

/** Most rules ask for some name: those that do not have every open kept. */
function narrowed(chance: Chance, top: string): string {
  const rest = `(${condition(chance, top, 2)} or ${condition(chance, top, 1)})`;
  return chance.below(24) === 0 ? rest : `${name(chance, top, POSITIVE)} and ${rest}`;
}

function condition(chance: Chance, top: string, depth: number): string {
  const kind = depth <= 0 ? 4 : chance.below(8);
  const part = () => condition(chance, top, depth - 1);
  switch (kind) {
    case 0:
    case 1:
      return `(${part()} and ${part()})`;
    case 2:
      return `(${part()} or ${part()})`;
    case 3:
      return `not ${part()}`;
    case 4:
      return chance.of(OTHERS);
    default:
      return name(chance, top);
  }
}

function name(chance: Chance, top: string, operators: readonly string[] = OPERATORS): string {
  const field = chance.of(FIELDS);
  const operator = chance.of(operators);
  const values = () =>
    `${top}/a/x,${top}/l/x,${top}/b,${top}/a,${top}/m/secret,${top}/mnt/x,x,secret,a/x,${top}/a/`
      .split(",");
  switch (operator) {
    case "in":
    case "pmatch":
      return `${field} ${operator} (${chance.some(values(), 3).join(", ")})`;
    case "startswith":
      return `${field} startswith ${
        chance.of([`${top}/a/`, `${top}/l/`, `${top}/a/c/`, "/proc/self/", "a/"])
      }`;
    case "endswith":
      return `${field} endswith ${chance.of(["x", "/secret", "/a", "new"])}`;
    case "contains":
      return `${field} contains ${chance.of(["/l/", "secret", "/a/c", "..", "none"])}`;
    case "glob":
      return `${field} glob '${chance.of([`${top}/*/x`, "*secret*", "*/l/*", `${top}/?`])}'`;
    default:
      return `${field} ${operator} ${chance.of(values())}`;
  }
}
