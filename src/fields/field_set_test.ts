// How the text of a field in a rule is read, and what every field promises.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { Fd, FdKind } from "../state/tables/fd.ts";
import type { Context } from "../state/contract/context.ts";
import { Bench, CHILD, open } from "./context_fixture.ts";
import type { Bound, Field } from "./row/field.ts";
import { FieldSet } from "./field_set.ts";

const set = new FieldSet({ staticFields: { site: "north" } });

function bound(text: string): Bound {
  const resolved = set.resolve(text);
  if ("error" in resolved) throw new Error(resolved.error);
  return resolved.bound;
}

function errorOf(text: string): string {
  const resolved = set.resolve(text);
  return "error" in resolved ? resolved.error : "";
}

Deno.test("a field is bound with the argument that its text has", () => {
  for (
    const [text, name] of [
      ["proc.name", "proc.name"],
      ["proc.aname[2]", "proc.aname"],
      ["proc.env[PATH]", "proc.env"],
      ["evt.arg.flags", "evt.arg"],
      ["evt.arg[0]", "evt.arg"],
      ["evt.rawarg.res", "evt.rawarg"],
      ["evt.type.is.openat", "evt.type.is"],
      ["thread.cgroup.memory", "thread.cgroup"],
      ["evt.abspath.src", "evt.abspath"],
      ["evt.abspath", "evt.abspath"],
      ["container.mount.dest[/etc*]", "container.mount.dest"],
      ["static.site", "static.site"],
    ] as const
  ) {
    strictEqual(bound(text).field.name, name);
    strictEqual(bound(text).text, text);
  }
});

Deno.test("a field in a longer text is the longest that is there", () => {
  const found = set.read("uid=%user.uid, cmd=%proc.aname[12]x", 5);
  deepStrictEqual("bound" in found && [found.bound.text, found.end], ["user.uid", 13]);
  const indexed = set.read("%proc.aname[12]x", 1);
  deepStrictEqual("bound" in indexed && [indexed.bound.text, indexed.end], ["proc.aname[12]", 15]);
  const dotted = set.read("%evt.arg.flags.", 1);
  deepStrictEqual("bound" in dotted && [dotted.bound.text, dotted.end], ["evt.arg.flags", 14]);
});

Deno.test("a text that is no field is refused, and the nearest name told", () => {
  const resolved = set.resolve("proc.nmae");
  deepStrictEqual({ ...resolved }, {
    error: 'unknown field "proc.nmae"',
    suggestion: "proc.name",
  });
  strictEqual(errorOf("proc.name.x"), 'unknown field "proc.name.x"');
  const far = set.resolve("quite.different");
  strictEqual("error" in far && far.suggestion, undefined);
});

Deno.test("an argument that makes no sense is refused", () => {
  strictEqual(errorOf("proc.aname[x]").includes('"x" is not the number of an ancestor'), true);
  strictEqual(errorOf("evt.arg"), "evt.arg requires an argument but none provided");
  strictEqual(errorOf("evt.arg.nonesuch"), 'unknown argument "nonesuch" of evt.arg');
  strictEqual(errorOf("evt.type.is.nonesuch"), 'unknown argument "nonesuch" of evt.type.is');
  strictEqual(errorOf("proc.aname[1"), '"]" is missing after "proc.aname[1"');
  strictEqual(errorOf("container.label"), "container.label requires an argument but none provided");
  strictEqual(errorOf("container.mount[(]"), '"(" is not a regular expression');
  strictEqual(errorOf("proc.name[1]"), 'unknown field "proc.name[1]"');
});

Deno.test("every field has a name of its own, a sentence and a value for every event", () => {
  strictEqual(new Set(set.fields.map(({ name }) => name)).size, set.fields.length);
  const events = [
    open(3, "/etc/passwd"),
    { id: "PROCEXIT_1_E", tid: CHILD, params: { status: 0 } },
    { id: "USER_ADDED_E", tid: -1, params: { uid: 1, name: "u" } },
    { id: "GENERIC_X", tid: 4711, params: { ID: 3 } },
    { id: "SYSCALL_POLL_X", tid: CHILD, params: {} },
  ];
  for (const event of events) {
    const bench = new Bench();
    bench.apply(event);
    for (const field of set.fields) {
      ok(/^[A-Z0-9a-z].*\.$/.test(field.description), `${field.name}: "${field.description}"`);
      for (const read of samples(field)) {
        const { extract, extractId, show } = read;
        ok(extract(bench.context) !== null);
        if (extractId !== undefined) {
          strictEqual(bench.machine.strings.text(extractId(bench.context)), extract(bench.context));
        }
        show?.(bench.context);
      }
    }
  }
});

/** The field bound with and without arguments. */
function samples(field: Field): Bound[] {
  const found: Bound[] = [];
  for (const argument of [undefined, "0", "1", "PATH", "flags", "openat", "memory", "src"]) {
    const read = field.bind(argument);
    if ("extract" in read) found.push(read);
  }
  ok(found.length > 0, field.name);
  return found;
}

/** Says no to whatever is not allowed to be read. */
function only<T extends object>(target: T, allowed: readonly (string | symbol)[]): T {
  return new Proxy(target, {
    get(object, key) {
      if (!allowed.includes(key)) throw new Error(`reads ${String(key)}`);
      return Reflect.get(object, key, object);
    },
  });
}

Deno.test("a field of the thread reads nothing of the event", () => {
  const bench = new Bench();
  bench.apply(open(3, "/etc/passwd"));
  // Under the view of an execution's program nothing is kept of a thread.
  const context = only<Context>(bench.context, ["machine", "thread", "process", "view"]);
  for (const field of set.fields.filter(({ domain }) => domain === "thread")) {
    for (const { domain, extract, extractId, text } of samples(field)) {
      strictEqual(domain, "thread", text);
      extract(context);
      extractId?.(context);
    }
  }
});

Deno.test("a field of the name reads the name and the kind of the descriptor alone", () => {
  const bench = new Bench();
  bench.apply(open(3, "/etc/passwd"));
  const fd = only(new Fd(FdKind.File, bench.context.fdName), ["kind"]);
  bench.context.fd = fd;
  const context = only<Context>(bench.context, ["machine", "fdName", "fd", "fdNumber"]);
  const names = set.fields.filter(({ domain }) => domain === "name");
  ok(names.length > 0);
  for (const field of names) {
    for (const { extract, extractId } of samples(field)) {
      extract(context);
      extractId?.(context);
    }
  }
});

Deno.test("a constant of the configuration is a field that outputs suggest", () => {
  const bench = new Bench();
  strictEqual(bound("static.site").extract(bench.context), "north");
  strictEqual(set.get("static.site")!.flags.has("suggested"), true);
});
