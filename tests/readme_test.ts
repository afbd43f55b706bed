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

/** Each command of the README's tables, with the arguments that it is tried with and what its
 * output must have. `{name}` is a file of the test's own, `{url}` a saker that it has started. */
const COMMANDS: ReadonlyMap<string, { readonly args: readonly string[]; readonly out?: RegExp }> =
  new Map([
    // The ten that one needs.
    ["saker doctor", { args: ["doctor"], out: /saker/ }],
    ["saker", { args: ["-M", "1"] }],
    ["saker -c falco.yaml -r FILE_OR_DIRECTORY …", {
      args: ["-c", "{falco.yaml}", "-r", `${ROOT}rules`, "-M", "1"],
    }],
    // Below a directory of the test's own.
    ["saker install", { args: ["install", "--root", "{root}"], out: /saker/ }],
    ["saker top", { args: ["top", "--once", "--url", "{url}"], out: /EVENTS[^]*RULES/ }],
    ["saker alerts --since 1h", {
      args: ["alerts", "--since", "1h", "--once", "--url", "{url}", "--search", "{marker}"],
      out: /Sensitive file read by an untrusted program/,
    }],
    ["saker tune", { args: ["tune", "--url", "{url}"] }],
    ["saker -V FILE …", { args: ["-V", `${ROOT}rules/files.yaml`], out: /Ok/ }],
    ["saker explain RULE --event FILE", {
      args: ["explain", "Log removed or emptied", "--event", "{event.yaml}"],
      out: /Log removed or emptied/,
    }],
    ["saker record FILE", { args: ["record", "{trace.scap}", "-M", "1"] }],
    // The others.
    ["saker -M 60", { args: ["-M", "1"] }],
    ["saker -o KEY=VALUE …", { args: ["-o", "json_output=true", "-M", "1"] }],
    ["saker -L", { args: ["-L"], out: /Log removed or emptied/ }],
    ["saker --list", { args: ["--list"], out: /fd\.name/ }],
    ["saker trace -- COMMAND …", { args: ["trace", "--", "echo", "traced"], out: /^traced$/m }],
    ["saker replay FILE …", { args: ["replay", "{trace.scap}", "-r", "{quiet.yaml}"] }],
    ["saker rules filter", { args: ["rules", "filter"], out: /openat/ }],
    ["saker rules lint", { args: ["rules", "lint"] }],
    ["saker rules test FILE …", { args: ["rules", "test", `${ROOT}rules/files_test.yaml`] }],
    ["saker plugin new NAME", { args: ["plugin", "new", "doors"] }],
    ["saker config", { args: ["config"], out: /json_output/ }],
    // Its own test signs and takes bundles.
    ["saker rollout sign", { args: ["rollout", "sign", "--help"], out: /--share/ }],
    ["saker page", { args: ["page", "--url", "{url}"], out: /page\/open\?code=/ }],
    // Its own test has a nats-server.
    ["saker fleet --nats URL", { args: ["fleet", "--help"], out: /--nats/ }],
    // It wants the kernel's headers: its own test builds a module.
    ["saker driver build", { args: ["driver", "build", "--help"], out: /--headers/ }],
    ["saker completions bash", { args: ["completions", "bash"], out: /complete -F _saker saker/ }],
    ["saker man", { args: ["man"], out: /^\.TH SAKER 8/ }],
    ["saker --help", { args: ["--help"], out: /Usage: saker/ }],
  ]);

Deno.test("README: every command of its tables is tried by this test", () => {
  const shown = [...README.matchAll(/^\| `(saker[^`]*)`/gm)].map((match) => match[1]);
  deepEqual(shown, [...COMMANDS.keys()]);
});

Deno.test("README: the commands of its tables work, in their order", async (t) => {
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
  await shell(place.marker, "cat /etc/shadow > /dev/null; true");
  await running.alert("Sensitive file read by an untrusted program", place.marker);
  const given = (arg: string) =>
    arg.replace(/^\{(.+)\}$/, (_, name) => {
      if (name === "url") return `127.0.0.1:${running.port}`;
      return name === "marker" ? place.marker : place.file(name);
    });
  for (const [command, { args, out }] of COMMANDS) {
    await t.step(command, async () => {
      const real = args.map(given);
      const watches = real.includes("-M") ? ["--listen", `127.0.0.1:${freePort()}`] : [];
      const { code, stdout, stderr } = await runSaker([...real, ...watches], { cwd: place.path });
      equal(code, 0, stderr);
      // What they saw of others is not shown.
      ok(out === undefined || out.test(stdout), `${out} is not in what it printed`);
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
