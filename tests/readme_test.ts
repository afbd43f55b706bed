// What README.md shows is run: its first minutes, its commands, its rule.
import { deepEqual, equal, ok } from "node:assert/strict";
import { freePort, isWell, lines, runSaker, Saker } from "./live/saker.ts";
import { Place, shell } from "./live/trigger.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const README = Deno.readTextFileSync(`${ROOT}README.md`);

Deno.test("README: its first command watches and alerts on a read of /etc/shadow", async () => {
  ok(README.includes("    scripts/run\n") && README.includes("    cat /etc/shadow\n"));
  await using place = new Place();
  const port = freePort();
  const child = new Deno.Command(`${ROOT}scripts/run`, {
    args: ["--listen", `127.0.0.1:${port}`],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const told: string[] = [];
  let reading: Promise<void> = Promise.resolve();
  const watching = Promise.withResolvers<void>();
  const listening = (async () => {
    for await (const line of lines(child.stderr)) {
      told.push(line);
      if (line.includes("is watching")) watching.resolve();
    }
    watching.reject(new Error(`scripts/run ended: ${told.join("\n")}`));
  })();
  try {
    await watching.promise;
    const health = await fetch(`http://127.0.0.1:${port}/healthz`);
    equal(health.status, 200);
    const body = await health.json();
    ok(isWell(body), `${body.status}: ${body.reason}`);
    // Read to the end: a closed pipe would end saker at the next alert, whoever raises it.
    const wanted = Promise.withResolvers<{ rule: string }>();
    reading = (async () => {
      for await (const line of lines(child.stdout)) {
        if (line.includes(place.marker) && line.includes("/etc/shadow")) {
          wanted.resolve(JSON.parse(line));
        }
      }
      wanted.reject(new Error("no such alert came"));
    })();
    await shell(place.marker, "cat /etc/shadow > /dev/null; true");
    equal((await wanted.promise).rule, "Sensitive file read by an untrusted program");
  } finally {
    child.kill("SIGINT");
  }
  equal((await child.status).code, 0);
  await reading;
  await listening;
  ok(told.some((line) => line.startsWith("Events detected: ")), told.join("\n"));
});

/** Each command of the README's table, with the arguments that it is tried with. */
const COMMANDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["saker", ["-M", "1"]],
  ["saker -r FILE_OR_DIRECTORY …", ["-r", `${ROOT}rules`, "-M", "1"]],
  ["saker -c falco.yaml -o KEY=VALUE …", [
    "-c",
    "{falco.yaml}",
    "-o",
    "json_output=true",
    "-M",
    "1",
  ]],
  ["saker -M 60", ["-M", "1"]],
  ["saker -V FILE …", ["-V", `${ROOT}rules/files.yaml`]],
  ["saker -L", ["-L"]],
  ["saker --list", ["--list"]],
  ["saker record FILE", ["record", "{trace.scap}", "-M", "1"]],
  ["saker replay FILE …", ["replay", "{trace.scap}", "-r", "{quiet.yaml}"]],
  ["saker rules filter", ["rules", "filter"]],
  ["saker rules lint", ["rules", "lint"]],
  ["saker rules test FILE …", ["rules", "test", `${ROOT}rules/files_test.yaml`]],
  ["saker explain RULE --event FILE", [
    "explain",
    "Log removed or emptied",
    "--event",
    "{event.yaml}",
  ]],
  ["saker plugin new NAME", ["plugin", "new", "doors"]],
  ["saker config", ["config"]],
  // Below a directory of the test's own.
  ["saker install", ["install", "--root", "{root}"]],
  // Against the saker that the test has started for it.
  ["saker top", ["top", "--once", "--url", "{url}"]],
  ["saker alerts", ["alerts", "--once", "--url", "{url}"]],
  ["saker doctor", ["doctor"]],
  ["saker --help", ["--help"]],
]);

Deno.test("README: every command of its table is tried by this test", () => {
  const shown = [...README.matchAll(/^\| `(saker[^`]*)`/gm)].map((match) => match[1]);
  deepEqual(shown, [...COMMANDS.keys()]);
});

Deno.test("README: the commands of its table work, in its order", async (t) => {
  await using place = new Place();
  const files: Record<string, string> = {
    "falco.yaml": "priority: warning\n",
    // Replaying what this machine did must print nothing of it.
    "quiet.yaml": "- rule: Nothing\n  desc: none\n  condition: evt.type = open and fd.num < -9\n" +
      "  output: nothing\n  priority: DEBUG\n",
    "event.yaml": "type: openat\nfields: {fd.name: /etc/shadow}\n",
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(place.file(name), text);
  }
  await using running = await Saker.start([place.marker]);
  for (const [command, args] of COMMANDS) {
    await t.step(command, async () => {
      const real = args.map((arg) =>
        arg === "{url}"
          ? `127.0.0.1:${running.port}`
          : arg.replace(/^\{(.+)\}$/, (_, name) => place.file(name))
      );
      const watches = real.includes("-M") ? ["--listen", `127.0.0.1:${freePort()}`] : [];
      const { code, stderr } = await runSaker([...real, ...watches], { cwd: place.path });
      equal(code, 0, stderr);
    });
  }
});

Deno.test("README: the rule that it shows is accepted", async () => {
  await using place = new Place();
  const rule = /^ {4}(- rule: [^]*?)\n\n/m.exec(README)?.[1]?.replaceAll(/^ {4}/gm, "");
  ok(rule !== undefined, "there is no rule in README.md");
  await Deno.writeTextFile(place.file("rule.yaml"), rule);
  const { code, stdout, stderr } = await runSaker(["-V", place.file("rule.yaml")]);
  equal(code, 0, stdout + stderr);
});
