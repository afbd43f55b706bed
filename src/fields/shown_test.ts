// What each field shows of events, as a table that is read and compared: a change of any text, of
// any number, of what a call does to the tables is seen here. UPDATE=1 writes shown.json anew; its
// changes are to be read like code.
import { deepStrictEqual } from "node:assert";
import type { EventValues } from "../events/event_fixture.ts";
import { FieldSet } from "./field_set.ts";
import { Bench, CHILD } from "./context_fixture.ts";
import { cutAddresses, inZone, madeUp, tableEvents } from "./shown_fixture.ts";
import { CALLS, HELD, SAID } from "./shown_files_fixture.ts";
import { SESSION } from "./shown_session_fixture.ts";

type Shown = Record<string, string>;
interface Line {
  readonly event: string;
  readonly shows: Shown;
}

/** Made once: there are hundreds of machines. */
const FIELDS = new FieldSet({ zone: "utc" });
const FILE = new URL("./shown.json", import.meta.url);
/** Arguments that the fields with some are tried with. */
const ARGUMENTS = ["0", "1", "2", "PATH", "A", "cpu"];
const TAKEN_APART = /^evt\.(arg|rawarg|around|count|args|info)|^static\./;

function namesOf(bench: Bench): string[] {
  return bench.fields.fields.filter(({ name }) => !TAKEN_APART.test(name)).flatMap((field) =>
    field.argument === null
      ? [field.name]
      : [...field.argument.required ? [] : [undefined], ...ARGUMENTS]
        .filter((argument) => "extract" in field.bind(argument))
        .map((argument) => argument === undefined ? field.name : `${field.name}[${argument}]`)
  );
}

/** What differs from what was shown of the event before. */
function changes(bench: Bench, names: readonly string[], before: Shown): Shown {
  const shown: Shown = {};
  for (const name of names) {
    const value = bench.value(name);
    const text = bench.text(name);
    const told = value === undefined && text === "<NA>" ? "-" : text;
    if ((before[name] ?? "-") === told) continue;
    before[name] = shown[name] = told;
  }
  return shown;
}

function nameOf({ id, tid }: EventValues): string {
  return `${id} of ${tid}`;
}

/** The session, event by event, in what each changes of what is shown. */
function session(paths: "kernel" | "caller"): Line[] {
  const bench = new Bench(paths, FIELDS);
  const names = namesOf(bench);
  const before: Shown = {};
  return SESSION.map((values) => {
    bench.apply(values);
    return { event: nameOf(values), shows: changes(bench, names, before) };
  });
}

/** What the caller's words show of the session's events, where it is not what the kernel's do. */
function otherwise(kernel: readonly Line[]): Line[] {
  return session("caller").flatMap(({ event, shows }, at) => {
    const other = Object.entries(shows).filter(([name, text]) => kernel[at]!.shows[name] !== text);
    return other.length === 0 ? [] : [{ event, shows: Object.fromEntries(other) }];
  });
}

const OF_TABLE = ["fd.name", "fs.path.name", "fs.path.source", "fs.path.target", "evt.res"];

const OF_MISSING = [
  ...["evt.res", "fd.num", "fd.name", "fd.type", "evt.abspath", "fs.path.name"],
  ...["fs.path.source", "fs.path.target", "proc.cwd", "proc.name", "proc.cmdline", "user.uid"],
  ...["fd.sip", "fd.cport", "fd.l4proto", "thread.vmsize", "proc.sid", "thread.cap_effective"],
  ...["evt.is_open_read", "evt.is_open_write", "evt.is_open_create", "fd.dev", "fd.ino"],
  ...["fd.nameraw", "fd.directory", "proc.fdopencount", "proc.pid", "proc.vpid", "thread.tid"],
];

/** The session's events without one of their parameters, and what is shown of each then. */
function missing(): Record<string, string> {
  const lines = SESSION.flatMap((values, at) =>
    Object.keys(values.params).map((name) => {
      const bench = new Bench("kernel", FIELDS);
      for (const before of [SESSION[0]!, SESSION[2]!]) bench.apply(before);
      bench.apply({ ...values, params: { ...values.params, [name]: undefined } });
      const shown = OF_MISSING.map((field) => bench.text(field)).map((text) =>
        text === "<NA>" ? "-" : text
      );
      return [`${at} ${values.id} without ${name}`, shown.join(" | ")] as const;
    })
  );
  return Object.fromEntries(lines);
}

const OF_FILE = [
  ...["fd.num", "fd.type", "fd.name", "fd.nameraw", "fd.ino", "fd.dev", "fd.l4proto"],
  ...["fd.cip", "fd.cport", "fd.sip", "fd.sport", "fd.is_server", "evt.is_open_read"],
];

/** What the tables hold under a number, what the kernel says of it, and what is shown then. */
function descriptors(): Record<string, string> {
  const lines = Object.entries(HELD).flatMap(([held, before]) =>
    Object.entries(SAID).flatMap(([said, files]) =>
      CALLS.map((call) => {
        const bench = new Bench("kernel", FIELDS);
        for (const event of before) bench.apply(event);
        bench.apply({ ...call, own: { files } });
        const shown = OF_FILE.map((name) => bench.text(name)).map((text) =>
          text === "<NA>" ? "-" : text
        );
        return [`${held}, told ${said}: ${call.id}`, shown.join(" ")] as const;
      })
    )
  );
  return Object.fromEntries(lines);
}

const CARRIERS = { SOCKADDR: "SOCKET_BIND_X", SOCKTUPLE: "SOCKET_ACCEPT4_6_X" } as const;

/** What is shown of addresses of any length, how often in a row. */
function addresses(): string[] {
  const lines: string[] = [];
  for (const { kind, bytes } of cutAddresses()) {
    const bench = new Bench("caller", FIELDS);
    const params = kind === "SOCKADDR" ? { res: 0, addr: bytes, fd: 3 } : { fd: 3, tuple: bytes };
    bench.apply({ id: CARRIERS[kind], tid: CHILD, params });
    const shown = [kind === "SOCKADDR" ? "evt.arg.addr" : "evt.arg.tuple", "fd.name", "fd.type"];
    lines.push(shown.map((name) => bench.text(name)).join(" | "));
  }
  return lines.filter((line, at) => line !== lines[at - 1]).map((line) =>
    `${line} (${lines.filter((other) => other === line).length})`
  );
}

/** Each event of the table with made up values: its parameters as text, and what it does. */
function table(): Record<string, string> {
  const lines = [0, 1, 2].flatMap((round) =>
    tableEvents().map((info) => {
      const bench = new Bench("caller", FIELDS);
      bench.apply(SESSION[0]!);
      bench.apply(madeUp(info, round));
      const shown = OF_TABLE.map((name) => bench.text(name)).filter((text) => text !== "<NA>");
      return [`${info.id} ${round}`, [bench.text("evt.args"), ...shown].join(" | ")] as const;
    })
  );
  return Object.fromEntries(lines);
}

Deno.test("what fields show of a session and of each event is what shown.json says", () => {
  const made = inZone("Asia/Kolkata", () => {
    const kernel = session("kernel");
    return {
      kernel,
      caller: otherwise(kernel),
      addresses: addresses(),
      missing: missing(),
      descriptors: descriptors(),
      table: table(),
    };
  });
  const text = `${JSON.stringify(made, null, 2)}\n`;
  if (Deno.env.get("UPDATE") === "1") Deno.writeTextFileSync(FILE, text);
  deepStrictEqual(made, JSON.parse(Deno.readTextFileSync(FILE)));
});
