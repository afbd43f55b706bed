// Rules files for tests, for the table of what comes of them (results_test.ts): each key, each
// mistake, each way in which one file changes another.
import { ruleText } from "./load_fixture.ts";

const GOOD = ruleText("A rule of words", "evt.type = open and proc.name = x", {
  tags: "[t, s, t]",
  output: "'opened %fd.name by %proc.name[1]'",
});
const LIST = "- list: names\n  items: [a, 'b c', \"d\", 4]\n";
const MACRO = "- macro: opens\n  condition: (evt.type in (open, openat, openat2))\n";

/** A file that is one rule with that condition. */
const on = (condition: string, more: Record<string, string> = {}) =>
  ruleText("r", JSON.stringify(condition), more);
const append = (text: string) => `- rule: r\n  condition: ${text}\n  append: true\n`;
const override = (keys: string, how: string) => `- rule: r\n${keys}  override: {${how}}\n`;

/** Files by what they show. */
export const RULES_FILES: Readonly<Record<string, readonly string[]>> = {
  "lists and macros": [
    LIST + MACRO + on("opens and proc.name in (names, e) and not fd.name startswith '/a b'"),
  ],
  "lists of lists": [
    LIST + "- list: all\n  items: [names, z]\n" + on("evt.type=close and proc.pname in (all)"),
  ],
  "macros of macros": [
    MACRO + "- macro: both\n  condition: opens or evt.type = creat\n" + on("both and fd.num > 2"),
  ],
  "an unused macro and list": [LIST + MACRO + GOOD],
  "an unknown macro": [on("nosuch and evt.type = open")],
  "an unknown field": [on("evt.type=open and proc.nane = x")],
  "an unknown operator": [on("evt.type=open and proc.name like x")],
  "an unknown type": [on("evt.type=opne")],
  "a type that does not fit": [on("evt.type=open and fd.num = x")],
  "a range": [on("evt.type=open and fd.num >= 4294967296 and proc.pid < -1")],
  "networks and ports": [
    on("evt.type=connect and fd.snet in (10.0.0.0/8, 192.168.1.0/24) and fd.sport = https"),
  ],
  "transformers": [
    on("evt.type=open and tolower(proc.name) = 'x' and len(fd.name) > 3 and basename(fd.name)=b"),
  ],
  "a field on the right": [on("evt.type=open and proc.name = val(proc.pname)")],
  "operators of text": [
    on(
      "evt.type=open and (fd.name glob '/a*' or fd.name pmatch (/a, /b) or fd.name regex 'a.b' " +
        "or fd.name icontains Q or fd.name endswith .so)",
    ),
  ],
  "escapes": [on('evt.type=open and fd.name == "a\\x41\\t\\"\\\\" and proc.args contains \'x y\'')],
  "precedence": [
    on("not evt.type=open and proc.name=a or proc.name=b and not (fd.num=1 or fd.num=2)"),
  ],
  "an open bracket": [on("evt.type=open and (proc.name=a")],
  "an empty condition": ["- rule: r\n  desc: d\n  condition:\n  output: o\n  priority: INFO\n"],
  "a missing key": ["- rule: r\n  condition: evt.type=open\n"],
  "a key of a wrong type": [on("evt.type=open", { tags: "x", enabled: "maybe", priority: "[a]" })],
  "an unknown priority": [on("evt.type=open", { priority: "URGENT" })],
  "an unknown key": [on("evt.type=open", { prioriti: "INFO" }) + "- foo: bar\n"],
  "an unknown source": [on("evt.type=open", { source: "nosuch" })],
  "an output that is none": [on("evt.type=open", { output: "'%nosuch %proc.name'" })],
  "no list at the top": ["rule: r\n"],
  "no map in the list": ["- r\n- [a]\n"],
  "nothing": [""],
  "two of a name": [GOOD + GOOD],
  "an append": [on("evt.type=open") + append("or evt.type=close")],
  "an append to nothing": [append("or evt.type=close")],
  "overrides": [
    on("evt.type=open", { tags: "[a]" }) +
    override("  condition: and proc.name=x\n  tags: [b]\n", "condition: append, tags: append") +
    override("  output: other\n  priority: ERROR\n", "output: replace, priority: replace") +
    override("  enabled: false\n", "enabled: replace"),
  ],
  "overrides that cannot be": [
    on("evt.type=open") + override("  priority: ERROR\n", "priority: append") +
    override("  desc: x\n", "nosuch: replace") + override("  output: o\n", "output: sometimes"),
  ],
  "exceptions": [
    on("evt.type=open") +
    "  exceptions:\n    - {name: one, fields: proc.name, values: [a, b]}\n" +
    "    - {name: two, fields: [proc.name, fd.name], comps: [=, startswith]}\n" +
    "- rule: r\n  exceptions:\n    - {name: two, values: [[x, /y], [z, w]]}\n  append: true\n",
  ],
  "exceptions with mistakes": [
    on("evt.type=open") +
    "  exceptions:\n    - {name: one, fields: [proc.name, fd.name], values: [[a]]}\n" +
    "    - {name: two, fields: nosuch.field, values: [a]}\n" +
    "    - {fields: proc.name}\n    - {name: three, fields: [proc.name], comps: [like]}\n",
  ],
  "required versions": [
    "- required_engine_version: 0.50.0\n- required_plugin_versions:\n" +
    "  - {name: container, version: 0.3.0}\n" + GOOD,
  ],
  "a version that is too new": ["- required_engine_version: 99\n" + GOOD],
  "versions that are none": [
    "- required_engine_version: x.y\n- required_plugin_versions: [{name: p}]\n" + GOOD,
  ],
  "rules of all events": [on("proc.name = a") + ruleText("n", "fd.num = 1", { priority: "debug" })],
  "a rule that cannot match": [on("evt.type=open and evt.type=close and fd.num=1")],
  "a comparison with nothing": [on("jevt.value[/a] = <NA> and evt.type=open")],
  "deep mistakes in YAML": [
    "- rule: r\n  desc: 'a\n   b'\n  condition: >\n    evt.type=open\n\tand x\n",
  ],
  "text in blocks": [
    "- rule: r\n  desc: |\n    two\n    lines\n  condition: >\n    evt.type=open\n" +
    "    and fd.num=1\n  output: >-\n    a\n\n    b\n  priority: 3\n",
  ],
  "anchors": [
    "- list: l\n  items: &a [x, y]\n- list: m\n  items: *a\n" +
    on("evt.type=open and proc.name in (m)"),
  ],
  "two files": [
    MACRO + on("opens"),
    "- macro: opens\n  condition: evt.type=creat\n",
    append("and fd.num=7"),
  ],
  "an old way to switch": [
    "- rule: r\n  enabled: false\n",
    on("evt.type=open") + "- rule: r\n  enabled: false\n",
  ],
  "costly rules": [
    on("evt.type=open and fd.name regex 'x+' and proc.env contains Y and evt.args contains z"),
  ],
  "a shadowed rule": [on("evt.type=open") + ruleText("later", "evt.type=open and fd.num=1")],
};
