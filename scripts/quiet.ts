// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// How quiet the default rules are: runs ordinary actions of a Debian host one after the other
// while saker watches, and prints a table of what was told of each. In: quiet_actions.ts, the
// options below. Out: a table in Markdown. Only alerts of what it started count: those with the
// action's own process among their ancestors.
import { type Action, ACTIONS } from "./quiet_actions.ts";
import { HOST_ACTIONS } from "./quiet_host_actions.ts";
import { Watch } from "./quiet_watch.ts";
import { isFile, isRoot, ownMounts } from "../tests/live/trigger.ts";

interface Options {
  /** Directories of rules, one column each; none: those built in. */
  rules: string[];
  only: RegExp;
  installs: boolean;
  alerts: boolean;
}

const USAGE = `usage: scripts/quiet [--rules DIR ...] [--only REGEX] [--installs] [--alerts]
  --rules DIR    rules to watch with, one column each (the built-in ones)
  --only REGEX   actions whose name matches
  --installs     also what installs packages, adds users and starts servers, which changes the
                 machine: for one that is thrown away afterwards
  --alerts       print each alert, too`;

interface Row {
  readonly action: Action;
  readonly pid: number;
  readonly code: number;
}

async function main(args: readonly string[]): Promise<number> {
  const options = parse(args);
  if (options === undefined) {
    console.error(USAGE);
    return 1;
  }
  if (!isRoot()) {
    console.error("scripts/quiet watches and acts as root");
    return 1;
  }
  const all = options.installs ? [...HOST_ACTIONS, ...ACTIONS] : ACTIONS;
  const chosen = all.filter(({ name }) => options.only.test(name));
  const columns = options.rules.length === 0 ? [undefined] : options.rules;
  const watches = await Promise.all(columns.map((rules) => Watch.start(rules)));
  const rows: Row[] = [];
  try {
    for (const action of chosen) {
      if ((action.needs ?? []).every(isFile)) rows.push(await act(action));
    }
    await Promise.all(watches.map((watch) => watch.settled()));
  } finally {
    await Promise.all(watches.map((watch) => watch.stop()));
  }
  print(rows, watches, options);
  const left = chosen.filter((action) => !rows.some((row) => row.action === action));
  if (left.length > 0) {
    console.log(`\nNot tried, for what they need is not here: ${names(left)}.`);
  }
  return 0;
}

function names(actions: readonly Action[]): string {
  return actions.map(({ name }) => name).join("; ");
}

/**
 * Runs an action in a pid namespace of its own: what it leaves behind stays below it, and ends
 * with it.
 */
async function act(action: Action): Promise<Row> {
  const place = Deno.makeTempDirSync({ prefix: "saker-quiet-" });
  Deno.chmodSync(place, 0o755);
  const child = new Deno.Command("unshare", {
    args: [
      ...await ownMounts(),
      ...["--pid", "--fork", "--kill-child", "--mount-proc"],
      ...["/bin/sh", "-c", action.script],
    ],
    cwd: place,
    env: { DEBIAN_FRONTEND: "noninteractive", HOME: "/root" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), (action.seconds ?? 30) * 1000);
  const { code, stderr, stdout } = await child.output();
  clearTimeout(timer);
  if (code !== 0) {
    const text = new TextDecoder();
    const said = `${text.decode(stdout)}\n${text.decode(stderr)}`.trim().split("\n");
    console.error(`${action.name}: ended with ${code}: ${said.slice(-3).join(" | ")}`);
  }
  await Deno.remove(place, { recursive: true });
  return { action, pid: child.pid, code };
}

function print(rows: readonly Row[], watches: readonly Watch[], options: Options): void {
  const heads = watches.map(({ name }) => `alerts, ${name}`);
  console.log(`| action | ${heads.join(" | ")} |`);
  console.log(`|---|${heads.map(() => "---|").join("")}`);
  for (const { action, pid, code } of rows) {
    const told = watches.map((watch) => watch.told(pid));
    const failed = code === 0 ? "" : " (did not end well)";
    console.log(`| ${action.name}${failed} | ${told.join(" | ")} |`);
    if (!options.alerts) continue;
    for (const watch of watches) {
      for (const { priority, output } of watch.alertsBelow(pid)) {
        console.log(`    ${watch.name}: ${priority}: ${output}`);
      }
    }
  }
  console.log(`\n${rows.length} actions; ${watches.map((watch) => watch.sum(rows)).join("; ")}.`);
}

function parse(args: readonly string[]): Options | undefined {
  const options: Options = { rules: [], only: /./, installs: false, alerts: false };
  const rest = [...args];
  for (let flag = rest.shift(); flag !== undefined; flag = rest.shift()) {
    if (flag === "--installs") options.installs = true;
    else if (flag === "--alerts") options.alerts = true;
    else if (flag === "--rules" && rest.length > 0) options.rules.push(rest.shift()!);
    else if (flag === "--only" && rest.length > 0) options.only = new RegExp(rest.shift()!, "i");
    else return undefined;
  }
  return options;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
