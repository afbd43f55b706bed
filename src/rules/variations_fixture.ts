// Rules files for tests, for the table of what comes of variations (variations_test.ts): each key
// of each kind of item with each kind of value, or gone; each operator on each kind of field; right
// sides of each kind; texts of conditions cut at each character.

/** Values of YAML, each where another was expected. */
const VALUES = [
  ...["null", "''", "true", "5", "-1", "1.5", "4294967296", "word", "'two words'", "[]", "[a]"],
  ...["[a, [b, c]]", "[null]", "{}", "{a: b}", "[{a: b}]", "append", "replace"],
];

type Keys = Readonly<Record<string, string>>;

const RULE: Keys = {
  rule: "r",
  desc: "d",
  condition: "evt.type = open",
  output: "'o %proc.name'",
  priority: "INFO",
  source: "syscall",
  tags: "[t]",
  enabled: "true",
  capture: "false",
  capture_duration: "3",
  warn_evttypes: "false",
  "skip-if-unknown-filter": "true",
  exceptions: "[{name: e, fields: [proc.name], values: [[x]]}]",
};

const BASE = `- rule: base
  desc: d
  condition: opens and proc.name in (names)
  output: o
  priority: INFO
  exceptions: [{name: e, fields: [proc.name, fd.num], comps: [=, '>']}]
- list: names
  items: [a]
- macro: opens
  condition: evt.type = open
`;

/** Kinds of items; `@` marks the key whose values are keys themselves. */
const ITEMS: Readonly<Record<string, { readonly keys: Keys; readonly inside?: string }>> = {
  rule: { keys: RULE },
  "appended rule": { keys: { rule: "base", condition: "and fd.num = 1", append: "true" } },
  "overriding rule": {
    keys: { rule: "base", condition: "opens and fd.num = 1", override: "{condition: replace}" },
  },
  "switched rule": { keys: { rule: "base", enabled: "false" } },
  list: { keys: { list: "l", items: "[x, names]" } },
  "appended list": { keys: { list: "names", items: "[b]", append: "true" } },
  "overriding list": { keys: { list: "names", items: "[b]", override: "{items: append}" } },
  macro: { keys: { macro: "m", condition: "opens and fd.num = 2" } },
  "appended macro": { keys: { macro: "opens", condition: "and fd.num=3", append: "true" } },
  "overriding macro": {
    keys: { macro: "opens", condition: "evt.type = creat", override: "{condition: replace}" },
  },
  engine: { keys: { required_engine_version: "0.30.0" } },
  plugins: { keys: { required_plugin_versions: "[{name: p, version: 1.0.0}]" } },
  "a plugin": {
    keys: { name: "p", version: "1.0.0", alternatives: "[{name: q, version: 2.0.0}]" },
    inside: "required_plugin_versions: [@]",
  },
  "an alternative": {
    keys: { name: "q", version: "2.0.0" },
    inside: "required_plugin_versions: [{name: p, version: 1.0.0, alternatives: [@]}]",
  },
  "an exception": {
    keys: { name: "x", fields: "[proc.name, fd.num]", comps: "[=, <]", values: "[[a, 3]]" },
    inside: "rule: r\n  desc: d\n  condition: evt.type=open\n  output: o\n  priority: INFO\n" +
      "  exceptions: [@]",
  },
  "an exception of one field": {
    keys: { name: "x", fields: "proc.name", comps: "in", values: "[a, b]" },
    inside: "rule: r\n  desc: d\n  condition: evt.type=open\n  output: o\n  priority: INFO\n" +
      "  exceptions: [@]",
  },
  "an appended exception": {
    keys: { name: "e", fields: "[proc.name, fd.num]", comps: "[=, '>']", values: "[[a, 3]]" },
    inside: "rule: base\n  exceptions: [@]\n  override: {exceptions: append}",
  },
};

function itemText(keys: Keys, inside: string | undefined): string {
  if (inside !== undefined) {
    const flow = Object.entries(keys).map(([key, value]) => `${key}: ${value}`).join(", ");
    return `- ${inside.replace("@", `{${flow}}`)}\n`;
  }
  const lines = Object.entries(keys).map(([key, value]) => `${key}: ${value}\n`);
  return `- ${lines.join("  ")}`;
}

const OVERRIDES = [
  ...["condition", "output", "desc", "tags", "exceptions", "priority", "enabled", "capture"],
  ...["capture_duration", "warn_evttypes", "skip-if-unknown-filter", "source", "nosuch"],
];

/** What `append: true` stands beside. */
const BESIDE_APPEND = [
  ...["{}", "null", "{nosuch: append}", "{condition: append}", "{condition: replace}"],
  "{condition: append, priority: replace}",
];

/** By what is varied, the texts of a file. */
export function fileVariations(): Record<string, string> {
  const files: Record<string, string> = {};
  for (const [kind, { keys, inside }] of Object.entries(ITEMS)) {
    const put = (name: string, changed: Keys) => {
      files[`${kind}: ${name}`] = BASE + itemText(changed, inside);
    };
    put("as it is", keys);
    put("with another key", { ...keys, another: "x" });
    for (const key of Object.keys(keys)) {
      const { [key]: _, ...others } = keys;
      if (Object.keys(others).length > 0) put(`without ${key}`, others);
      for (const value of VALUES) put(`${key} ${value}`, { ...keys, [key]: value });
    }
  }
  for (const key of OVERRIDES) {
    for (const how of ["append", "replace", "other", "null", "[a]"]) {
      const { [key]: value = "x" } = RULE;
      const own = key === "condition" ? "and fd.num = 1" : value;
      const text = itemText({ rule: "base", [key]: own, override: `{${key}: ${how}}` }, undefined);
      files[`override ${key}: ${how}`] = BASE + text;
    }
  }
  for (const override of BESIDE_APPEND) {
    const keys = { rule: "base", condition: "and fd.num = 1", append: "true", override };
    files[`append beside ${override}`] = BASE + itemText(keys, undefined);
  }
  return files;
}

/** A field of each kind, with what may stand against it. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  "proc.name": ["cat", '""', "'a b'", "evt.type", "'[a-'"],
  "fd.num": ["3", "-1", "x", "18446744073709551616"],
  "evt.is_open_read": ["true", "maybe"],
  "fd.sip": ["10.0.0.1", "::1", "10.0.0"],
  "fd.snet": ["10.0.0.0/8", "fd00::/8", "10.0.0.1"],
  "fd.sport": ["80", "http", "nosuch"],
  "fd.ip": ["10.0.0.1"],
  "evt.buffer": ["abc", "6162", "'\\x00'"],
  "proc.aname": ["sh"],
  "proc.apid": ["1"],
  "fd.types": ["file"],
  "evt.time": ["1"],
  "proc.cmdlength": ["7"],
  "evt.type": ["open", "nosuch", "openat"],
  "evt.rawarg.flags": ["1"],
  "evt.num": ["0", "1", "2"],
  "tolower(proc.name)": ["x"],
  "len(fd.types)": ["1"],
  "container.privileged": ["true"],
  "nosuch.field": ["x"],
};
const OPERATORS = [
  ...["=", "==", "!=", "<", "<=", ">", ">=", "contains", "icontains", "bcontains"],
  ...["startswith", "bstartswith", "endswith", "glob", "iglob", "regex", "in", "intersects"],
  ...["pmatch", "exists", "= oneof", "!= allof", "contains anyof", "> anyof"],
];

function checkOf(field: string, operator: string, constant: string): string {
  if (operator === "exists") return `${field} exists`;
  const isList = /^(in|intersects|pmatch)$|of$/.test(operator);
  return `${field} ${operator} ${isList ? `(${constant}, ${constant})` : constant}`;
}

/** By field and operator, conditions. */
export function checkVariations(): Record<string, string[]> {
  const checks: Record<string, string[]> = {};
  for (const [field, constants] of Object.entries(FIELDS)) {
    for (const operator of OPERATORS) {
      checks[`${field} ${operator}`] = constants.map((one) => checkOf(field, operator, one));
    }
    checks[`${field} against others`] = Object.keys(FIELDS).flatMap((other) =>
      ["=", "in", "pmatch"].map((operator) => `${field} ${operator} val(${other})`)
    );
  }
  return checks;
}

/** Conditions on the kind and number of an event, alone and joined. */
export function typeVariations(): string[] {
  const parts = [
    ...["evt.type = open", "evt.type != open", "evt.type in (open, close)", "not evt.type = open"],
    ...["evt.type exists", "evt.type startswith open", "evt.type glob o*", "syscall.type = close"],
    ...["evt.num = 0", "evt.num = 1", "evt.num != 0", "evt.num < 1", "evt.num < 2", "evt.num <= 0"],
    ...["evt.num <= 1", "evt.num > 0", "evt.num >= 1", "evt.num >= 2", "evt.num in (0)"],
    ...["evt.num in (0, 1)", "fd.num = 1", "evt.type = val(proc.name)", "evt.type in ()"],
    ...["tolower(evt.type) = open", "evt.type.is.open = 1", "evt.dir = <", "evt.num exists"],
    ...["proc.name = val(evt.type)", "evt.type = nosuch", "evt.type = gettid", "evt.num = +0"],
  ];
  return parts.flatMap((one, at) => {
    const other = parts[(at * 7 + 3) % parts.length]!;
    return [
      one,
      `not ${one}`,
      `${one} and ${other}`,
      `${one} or ${other}`,
      `not (${one} or ${other})`,
    ];
  });
}

/** A condition with each kind of token, to be cut. */
export const TO_BE_CUT = [
  `not (a or evt.type in (open, "b c") and not(fd.num >= 0x1f)) or b and(c)`,
  `proc.aname["2 x"] startswith oneof (a, 'b') or fd.name contains anyof l and x exists`,
  `join(",", (proc.name, 'x', 1.5e+3)) = val( proc.pname ) or getopt(proc.args,"a:")[b] = 1`,
  `proc.name = "a\\x41\\t\\"b" or fd.name != 'it\\'s' or tolower(toupper(fd.name)) = x`,
  `evt.num<-1 or evt.num>1.5 or proc.pid <= val(proc.ppid) or fd.name pmatch (/a, '/b')`,
] as const;
