// A watching saker over time: rules exchanged under way, outputs reopened, readers that do not
// read, a port that is taken.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { eventually, freePort, isWell, SAKER, Saker } from "./saker.ts";
import { has, isRoot, Place, run, shell } from "./trigger.ts";

/** Rules of one rule: a file below the place is opened. */
function rulesNamed(name: string, place: Place): string {
  return `- rule: ${name}
  desc: A file of this test was opened.
  condition: evt.type in (open, openat, openat2) and fd.name startswith ${place.path}/
  output: Opened %fd.name
  priority: WARNING
`;
}

Deno.test({
  name: "saker takes new rules when their file changes or on SIGHUP, and refuses bad ones",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const file = `${place.path}/rules.yaml`;
    await Deno.writeTextFile(file, rulesNamed("First", place));
    await Deno.writeTextFile(`${place.path}/secret`, "");
    await using saker = await Saker.start([place.marker], { args: ["-r", file] });
    const read = () => shell(place.marker, `cat ${place.path}/secret`);
    const firesOnReading = async (rule: string) => {
      await eventually(`"${rule}" to fire`, async () => {
        await read();
        return saker.alertsWith(place.marker).some((alert) => alert.rule === rule) || undefined;
      });
    };
    await firesOnReading("First");

    await Deno.writeTextFile(file, rulesNamed("Second", place));
    await firesOnReading("Second");

    await Deno.writeTextFile(file, "- rule: Broken\n  condition: [");
    await eventually(
      "the broken rules to be refused",
      () => saker.told.includes("The new rules are refused, the old ones stay.") || undefined,
    );
    const fired = () => saker.alertsWith(place.marker).length;
    const before = fired();
    await eventually("the old rules to go on", async () => {
      await read();
      return fired() > before + 5 || undefined;
    });
    assert(saker.alertsWith(place.marker).at(-1)!.rule === "Second");
    assertEquals((await saker.health())!.status, 200);

    await Deno.writeTextFile(file, rulesNamed("Third", place));
    Deno.kill(saker.pid, "SIGHUP");
    await firesOnReading("Third");
    const { code, stderr } = await saker.stop();
    assertEquals(code, 0);
    assertIncludes(stderr, "Reloaded: 1 rules.");
  },
});

Deno.test({
  name: "a rotated alert file is left alone after SIGUSR1",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const rules = `${place.path}/rules.yaml`;
    const file = `${place.path}/alerts`;
    await Deno.writeTextFile(rules, rulesNamed("Read", place));
    await Deno.writeTextFile(`${place.path}/secret`, "");
    await using saker = await Saker.start([place.marker], {
      args: [
        "-r",
        rules,
        "-o",
        `file_output={enabled: true, keep_alive: true, filename: ${file}}`,
        "-o",
        "json_output=true",
      ],
    });
    const written = async (path: string) => {
      await eventually(`an alert in ${path}`, async () => {
        await shell(place.marker, `cat ${place.path}/secret`);
        const text = await Deno.readTextFile(path).catch(() => "");
        return text.includes("secret") || undefined;
      });
    };
    await written(file);
    await Deno.rename(file, `${file}.1`);
    Deno.kill(saker.pid, "SIGUSR1");
    await written(file);
  },
});

Deno.test({
  name: "a reader that stops stalls neither detection nor health, and keeps what is rare",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const rules = `${place.path}/rules.yaml`;
    await Deno.writeTextFile(
      rules,
      rulesNamed("Precious", place).replace("startswith", "=").replace("/\n", "/precious\n") +
        rulesNamed("Read", place),
    );
    await Deno.writeTextFile(`${place.path}/precious`, "");
    const port = freePort();
    const child = new Deno.Command(SAKER, {
      args: ["--listen", `127.0.0.1:${port}`, "-r", rules, "-o", "outputs_queue.capacity=100"],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    try {
      const health = async () => {
        const response = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
        return await response?.json();
      };
      await eventually(
        "saker to be well",
        async () => isWell(await health()) || undefined,
      );
      // Far more than a pipe and the queue hold; nobody reads.
      const flood = `i=0; while [ $i -lt 3000 ]; do : < ${place.path}/rules.yaml; i=$((i+1)); done`;
      await shell(place.marker, flood);
      await eventually("every alert to be counted", async () => {
        const report = await health();
        assert(report.status === "ok" || report.status === "degraded", report.status);
        return report.alerts >= 3000 || undefined;
      });
      // One alert of another rule, behind all of them.
      await shell(place.marker, `: < ${place.path}/precious`);
      await eventually("the other alert to be counted", async () => {
        return (await health()).alerts >= 3001 || undefined;
      });
      const stdout = new Response(child.stdout).text();
      await eventually("the queue to be written", async () => (await health()) || undefined);
      child.kill("SIGTERM");
      const written = (await stdout).split("\n").filter((line) => line !== "");
      assert(written.length < 3000, String(written.length));
      assertEquals(written.filter((line) => line.includes('"rule":"Precious"')).length, 1);
      const stderr = await new Response(child.stderr).text();
      assertEquals((await child.status).code, 0);
      const dropped = /Alerts that an output could not take: (\d+)/.exec(stderr);
      assert(dropped !== null && Number(dropped[1]) > 1000, stderr);
    } finally {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
    }
  },
});

Deno.test({
  name: "a port that is taken is one line on a terminal, before anything is loaded",
  ignore: !has("script"),
  async fn() {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    const command = `${SAKER} --listen 127.0.0.1:${port}`;
    const { code, stdout } = await run("script", ["-qec", command, "/dev/null"]);
    assertEquals(code, 1);
    assertEquals(
      stdout.trim(),
      `Error: Cannot listen on 127.0.0.1:${port}: another program listens there; ` +
        "choose another with --listen or webserver.listen_port",
    );
  },
});
