// What README.md shows is run: its first minutes, its commands, its rule.
import { deepEqual, equal, ok } from "node:assert/strict";
import { freePort, lines, runSaker } from "./live/saker.ts";
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
    equal((await health.json()).status, "ok");
    const alert = (async () => {
      for await (const line of lines(child.stdout)) {
        if (line.includes(place.marker) && line.includes("/etc/shadow")) return JSON.parse(line);
      }
    })();
    await shell(place.marker, "cat /etc/shadow > /dev/null; true");
    equal((await alert)?.rule, "Sensitive file read by an untrusted program");
  } finally {
    child.kill("SIGINT");
  }
  equal((await child.status).code, 0);
  await listening;
  ok(told.some((line) => line.startsWith("Events detected: ")), told.join("\n"));
});

/** Each command of the README's table, with the arguments that it is tried with. */
const COMMANDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["saker", ["-M", "1"]],
  ["saker -r FILE_OR_DIRECTORY …", ["-r", `${ROOT}rules`, "-M", "1"]],
  ["saker -c falco.yaml -o KEY=VALUE …", ["-c", "{config}", "-o", "json_output=true", "-M", "1"]],
  ["saker -M 60", ["-M", "1"]],
  ["saker -V FILE …", ["-V", `${ROOT}rules/files.yaml`]],
  ["saker -L", ["-L"]],
  ["saker --list", ["--list"]],
  ["saker replay FILE …", ["replay", "--help"]],
  ["saker doctor", ["doctor"]],
  ["saker --help", ["--help"]],
]);

Deno.test("README: every command of its table is tried by this test", () => {
  const shown = [...README.matchAll(/^\| `(saker[^`]*)`/gm)].map((match) => match[1]);
  deepEqual(shown, [...COMMANDS.keys()]);
});

for (const [command, args] of COMMANDS) {
  Deno.test(`README: \`${command}\` works`, async () => {
    await using place = new Place();
    await Deno.writeTextFile(place.file("falco.yaml"), "priority: warning\n");
    const real = args.map((arg) => arg === "{config}" ? place.file("falco.yaml") : arg);
    const watches = real.includes("-M") ? ["--listen", `127.0.0.1:${freePort()}`] : [];
    const { code, stderr } = await runSaker([...real, ...watches]);
    equal(code, 0, stderr);
  });
}

Deno.test("README: the rule that it shows is accepted", async () => {
  await using place = new Place();
  const rule = /^ {4}(- rule: [^]*?)\n\n/m.exec(README)?.[1]?.replaceAll(/^ {4}/gm, "");
  ok(rule !== undefined, "there is no rule in README.md");
  await Deno.writeTextFile(place.file("rule.yaml"), rule);
  const { code, stdout, stderr } = await runSaker(["-V", place.file("rule.yaml")]);
  equal(code, 0, stdout + stderr);
});
