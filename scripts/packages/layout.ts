// What an installed saker consists of, wherever it is put: the executable, its unit, configuration,
// rules, man page, completions and documents. In: the built executable, which prints most of it.
// Out: entries by their place below the root.
import { join } from "node:path";
import { systemdUnit } from "../../src/cli/print/systemd_unit.ts";
import { type About, output, ROOT, SAKER } from "./about.ts";
import { gzip } from "./compress.ts";
import { type Entry, file } from "./tar.ts";

/** Files that an administrator changes; an upgrade leaves changed ones as they are. */
export const CONFFILES = ["etc/saker/falco.yaml", "etc/saker/rules.d/local.yaml"];

export const DOCUMENTS = "usr/share/doc/saker";

const CONFIG = `# saker's configuration: Falco's keys, and some of saker's own.
#   saker config             every key, what it is for, and what holds where it is not named
#   saker config --explain /etc/saker/falco.yaml    what saker does with each key of this file
# After a change: nothing. saker reads this file and the rules anew by itself, and keeps the old
# ones where the new ones are wrong (journalctl -u saker tells).

# Files here are read after this one, by their names, and can set any key.
config_files: [/etc/saker/config.d]

# The rules that come with saker, which an upgrade replaces; then your own.
rules_files: [/usr/share/saker/rules, /etc/saker/rules.d]

# Alerts go to the journal, a JSON object each: journalctl -u saker -o cat
json_output: true
`;

const LOCAL_RULES = `# Rules of this host, in Falco's language, which are read after those in
# /usr/share/saker/rules: they can add to these, change or disable them:
#
#   - rule: Sensitive file read by an untrusted program
#     enabled: false
#     override: {enabled: replace}
#
# saker -V FILE checks a file of rules, saker rules lint tells what is odd in one.
`;

/** All files below the root; conffiles are those of `CONFFILES`. */
export async function layout(about: About): Promise<Entry[]> {
  const unit = systemdUnit({
    program: "/usr/bin/saker",
    config: "/etc/saker/falco.yaml",
    head: "# Of the package saker. What should differ here goes to a file of its own:\n" +
      "# systemctl edit saker\n",
    documentation: "man:saker(8)",
  });
  return [
    file("usr/bin/saker", Deno.readFileSync(SAKER), 0o755),
    file("usr/lib/systemd/system/saker.service", unit),
    file("etc/saker/falco.yaml", CONFIG),
    { path: "etc/saker/config.d/", mode: 0o755 },
    file("etc/saker/rules.d/local.yaml", LOCAL_RULES),
    ...defaultRules(),
    ...await printed(about),
    file(`${DOCUMENTS}/README.md`, Deno.readFileSync(join(ROOT, "README.md"))),
  ];
}

/** The default rules as files, without the cases that test them. */
export function defaultRules(): Entry[] {
  const directory = join(ROOT, "rules");
  return [...Deno.readDirSync(directory)]
    .map(({ name }) => name)
    .filter((name) => name.endsWith(".yaml") && !name.endsWith("_test.yaml"))
    .map((name) => file(`usr/share/saker/rules/${name}`, Deno.readFileSync(join(directory, name))));
}

/** What the executable says of itself: its man page, and completions of three shells. */
async function printed({ epoch }: About): Promise<Entry[]> {
  const day = new Date(epoch * 1000).toISOString().slice(0, 10);
  const page = await output(SAKER, ["man", "--date", day]);
  const completions = (shell: string) => output(SAKER, ["completions", shell]);
  return [
    file("usr/share/man/man8/saker.8.gz", gzip(new TextEncoder().encode(page), 9)),
    file("usr/share/bash-completion/completions/saker", await completions("bash")),
    file("usr/share/zsh/vendor-completions/_saker", await completions("zsh")),
    file("usr/share/fish/vendor_completions.d/saker.fish", await completions("fish")),
  ];
}
