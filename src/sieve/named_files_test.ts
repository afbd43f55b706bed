// Which files are known by their inodes, for which rules.
import { deepStrictEqual } from "node:assert";
import { loadTexts, ruleText } from "../rules/load_fixture.ts";
import { namedFiles } from "./named_files.ts";

function named(...conditions: string[]): string[] {
  const texts = conditions.map((condition, index) => ruleText(`r${index}`, condition));
  return namedFiles(loadTexts([texts.join("")]).enabled);
}

Deno.test("files that a rule names as a whole are known", () => {
  deepStrictEqual(
    named("evt.type = openat and fd.name in (/etc/shadow, /etc/gshadow)", "fs.path.name = /a/b"),
    ["/etc/shadow", "/etc/gshadow", "/a/b"],
  );
  deepStrictEqual(named("evt.type = read and fd.name startswith /etc/shadow"), ["/etc/shadow"]);
});

Deno.test("neither directories nor parts of names are files", () => {
  deepStrictEqual(
    named(
      "evt.type = openat and (fd.name startswith /etc/ or fd.name contains /x or " +
        "fd.filename = shadow or fd.name = relative or fd.nameraw = /said)",
    ),
    [],
  );
});

Deno.test("a name that a rule only leaves out is none", () => {
  deepStrictEqual(
    named("evt.type = openat and not fd.name = /allowed and not (not fd.name = /meant)"),
    ["/meant"],
  );
});
