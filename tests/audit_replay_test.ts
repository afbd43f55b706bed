// Audit logs replayed by the built binary: the alerts, Falco's closing counts, and what becomes of
// logs that nobody can mean well with.
import { gzipSync } from "node:zlib";
import { assert, assertEquals } from "./live/expect.ts";
import { runSaker } from "./live/saker.ts";

const RULES = `- required_plugin_versions:
    - {name: k8saudit, version: 0.18.0}
    - {name: json, version: 0.7.0}
- rule: Seen
  desc: d
  condition: ka.verb = get
  output: "%ka.auditid %evt.time %jevt.value[/user/groups/0]"
  priority: NOTICE
  source: k8s_audit
- rule: of system calls
  desc: d
  condition: evt.type = open
  output: o
  priority: NOTICE
`;

function event(id: string, more = ""): string {
  return `{"kind":"Event","auditID":"${id}","verb":"get","user":{"groups":["g"]},` +
    `"stageTimestamp":"2026-01-02T03:04:05.25Z"${more}}`;
}

async function replay(log: string | Uint8Array, name: string, ...args: string[]) {
  const directory = Deno.makeTempDirSync();
  try {
    const bytes = typeof log === "string" ? new TextEncoder().encode(log) : log;
    Deno.writeFileSync(`${directory}/${name}`, bytes);
    Deno.writeTextFileSync(`${directory}/rules.yaml`, RULES);
    const file = `${directory}/${name}`;
    const given = args.map((arg) => arg.replaceAll("LOG", file));
    const ending = await runSaker(
      [...(given.length > 0 ? given : ["replay", file]), "-r", `${directory}/rules.yaml`],
      { env: { TZ: "UTC" } },
    );
    const lines = ending.stdout.trim().split("\n").filter((line) => line !== "");
    return { ...ending, lines };
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("a log is replayed to its end, and the end is told", async () => {
  const log = `${event("a")}\n{"kind":"EventList","items":[${event("b")}]}\n${event("c")}`;
  // By its name, or by what it begins with.
  for (const name of ["log.jsonl", "log"]) {
    const { code, lines, stderr } = await replay(log, name);
    assertEquals(code, 0, stderr);
    assertEquals(lines.length, 3);
    assert(lines[1]!.includes("Notice b 03:04:05.250000000 g"), lines[1]!);
    assert(stderr.startsWith("Events detected: 3\n"), stderr);
    assert(stderr.includes("   Seen: 3\n"), stderr);
    assert(stderr.includes("Audit events: 3; malformed: 0"), stderr);
  }
  const { lines } = await replay(gzipSync(log), "l.jsonl.gz");
  assertEquals(lines.length, 3);
});

Deno.test("Falco's own way to read a log once is taken", async () => {
  const { code, lines, stderr } = await replay(
    `${event("a")}\n`,
    "l.jsonl",
    "--enable-source=k8s_audit",
    "-o",
    "load_plugins[]=k8saudit",
    "-o",
    "plugins[]={name: k8saudit, library_path: libk8saudit.so}",
    "-o",
    "plugins[0].open_params=LOG",
  );
  assertEquals([code, lines.length], [0, 1], stderr);
  assert(stderr.includes("Events detected: 1\n"), stderr);
});

Deno.test("hostile lines are counted and passed over", async () => {
  const deep = "[".repeat(100_000);
  const hostile = [
    "{",
    "\u0000\u0000",
    deep,
    `${deep}1${"]".repeat(100_000)}`,
    `{"kind":"Event","stageTimestamp":${"9".repeat(100_000)}}`,
    event("x").slice(0, -1),
    `"${"y".repeat(10 << 20)}"`,
    event("large", `,"x":"${"z".repeat(1 << 20)}"`),
    '{"kind":"Event","kind":"Pod"}',
    "\ufeff{}",
  ];
  const log = [event("a"), ...hostile, event("b")].join("\n");
  const { code, lines, stderr } = await replay(log, "l.jsonl");
  assertEquals([code, lines.length], [0, 2], stderr.slice(0, 2000));
  assert(stderr.includes(`malformed: ${hostile.length}`), stderr.slice(-300));
});

Deno.test("keys with a meaning in the language, and keys that come twice, are keys", async () => {
  const names = ',"__proto__":{"verb":"x"},"constructor":1,"verb":"delete"';
  const { lines } = await replay(`${event("a", names)}\n`, "l.jsonl");
  assertEquals(lines.length, 1);
});

Deno.test("a log that is not there ends the run with its name", async () => {
  const { code, stderr } = await runSaker(["replay", "/nonexistent/audit.jsonl"]);
  assertEquals(code, 1);
  assert(stderr.includes("/nonexistent/audit.jsonl: there is no"), stderr);
});
