// What an ordinary user of the host can do to a saker that watches: take its port, its connections,
// its files. It goes on seeing, says what is amiss, and ends when it is asked to.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { eventually, freePort, isWell, Saker } from "./saker.ts";
import { has, isRoot, Place, PYTHON, run, shell } from "./trigger.ts";

/** Rules of one rule: the place's file `secret` is opened. */
async function withRule(place: Place): Promise<string> {
  const file = place.file("rules.yaml");
  await Deno.writeTextFile(file, ruleNamed("Secret read", place));
  await Deno.writeTextFile(place.file("secret"), "");
  return file;
}

function ruleNamed(name: string, place: Place): string {
  return `- rule: ${name}
  desc: A file of this test was opened.
  condition: evt.type in (open, openat, openat2) and fd.name = ${place.file("secret")}
  output: Opened %fd.name
  priority: WARNING
`;
}

async function stillSees(saker: Saker, place: Place, rule = "Secret read"): Promise<void> {
  const before = saker.alertsWith(place.marker).length;
  await eventually("another alert", async () => {
    await shell(place.marker, `cat ${place.file("secret")}`);
    const alerts = saker.alertsWith(place.marker);
    return alerts.length > before && alerts.at(-1)!.rule === rule ? true : undefined;
  });
}

async function told(saker: Saker, text: string): Promise<void> {
  await eventually(`"${text}" to be told`, () => saker.told.includes(text) || undefined);
}

Deno.test({
  name: "more idle connections than there are descriptors neither end saker nor keep others out",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const rules = await withRule(place);
    // With the soft limit of an ordinary shell.
    await using saker = await Saker.start([place.marker], {
      args: ["-r", rules],
      through: ["sh", "-c", 'ulimit -Sn 1024 && exec "$0" "$@"'],
    });
    const idle: Deno.Conn[] = [];
    for (let count = 0; count < 1200; count++) {
      idle.push(await Deno.connect({ hostname: "127.0.0.1", port: saker.port }));
      if (count % 3 === 0) await idle.at(-1)!.write(new TextEncoder().encode("GET /he"));
    }
    await eventually(
      "an answer",
      async () => (await saker.health()) === undefined ? undefined : true,
    );
    await stillSees(saker, place);
    const { web } = (await saker.health())!.body as { web?: { open: number; cut_off: number } };
    assert(web!.open <= 64 && web!.cut_off > 1000, JSON.stringify(web));
    for (const conn of idle) conn.close();
    await stillSees(saker, place);
    assertEquals((await saker.stop()).code, 0);
  },
});

Deno.test({
  name: "a port that another program holds is told as an alert, and had when it is free",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const rules = await withRule(place);
    const port = freePort();
    const holder = Deno.listen({ hostname: "127.0.0.1", port });
    await using saker = Saker.launch(["saker internal", place.marker], {
      args: ["-r", rules],
      port,
    });
    await told(saker, "another program listens there");
    await stillSees(saker, place);
    const alert = await eventually(
      "the alert",
      () => saker.alerts().find(({ rule }) => rule === "saker internal: no web server"),
    );
    assertIncludes(alert.output, `127.0.0.1:${port}`);
    holder.close();
    await told(saker, `Health is at http://127.0.0.1:${port}/healthz`);
    assertEquals((await saker.health())?.status, 200);
  },
});

Deno.test({
  name: "an alert file that nobody reads, or that cannot be, is told at start and holds up nothing",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const rules = await withRule(place);
    const fifo = place.file("fifo");
    assertEquals((await run("mkfifo", [fifo])).code, 0);
    const reasons: [string, string][] = [
      [fifo, "nobody reads this FIFO"],
      [place.path, "it is a directory"],
      [place.file("none/alerts"), "there is no such file or directory"],
    ];
    for (const [path, reason] of reasons) {
      await using saker = Saker.launch([place.marker], {
        args: ["-r", rules, "-o", `file_output={enabled: true, filename: ${path}}`],
      });
      await told(saker, `Cannot write alerts to file_output.filename ${path}: ${reason}`);
      await stillSees(saker, place);
      // An engine that this machine starves says so first.
      await eventually("the failure in /healthz, with what waits for it", async () => {
        const health = await saker.health();
        if (health?.status !== 503 || health.body.status !== "failing") return undefined;
        const outputs = health.body["outputs"] as { name: string; waiting: number; lost: number }[];
        const file = outputs.find(({ name }) => name === "file");
        return file !== undefined && file.waiting + file.lost > 0 ? true : undefined;
      });
      assertEquals((await saker.stop()).code, 0);
    }
  },
});

Deno.test({
  name: "new rules that are a FIFO, a directory or nothing at all are refused, the old ones stay",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const rules = await withRule(place);
    await using saker = await Saker.start([place.marker, "hot restart failure"], {
      args: ["-r", rules, "-o", "watch_config_files=false"],
    });
    const refusals = () => saker.told.split("The new rules are refused").length - 1;
    const bad: [string, (path: string) => Promise<unknown>][] = [
      ["nothing is written to", (path) => run("mkfifo", [path])],
      ["No *.yaml or *.yml file", (path) => Deno.mkdir(path)],
      ["is empty", (path) => Deno.writeTextFile(path, "")],
      ["No rule is left", (path) => Deno.writeTextFile(path, "- list: l\n  items: [x]\n")],
      ["more than 16 MB", (path) => run("truncate", ["-s", "3G", path])],
    ];
    for (const [reason, make] of bad) {
      const before = refusals();
      await Deno.remove(rules);
      await make(rules);
      Deno.kill(saker.pid, "SIGHUP");
      await eventually(`${reason}: to be refused`, () => refusals() > before || undefined);
      assertIncludes(saker.told, reason);
      await stillSees(saker, place);
      await eventually("the refusal in /healthz", async () => {
        const health = await saker.health();
        return health?.status === 200 && health.body.status === "degraded" ? true : undefined;
      });
    }
    assert(saker.alerts().some(({ rule }) => rule === "Falco internal: hot restart failure"));
    await Deno.remove(rules);
    await Deno.writeTextFile(rules, ruleNamed("Other name", place));
    Deno.kill(saker.pid, "SIGHUP");
    await told(saker, "Reloaded: 1 rules.");
    await stillSees(saker, place, "Other name");
    await eventually("all to be well", async () => {
      return isWell((await saker.health())?.body) ? true : undefined;
    });
  },
});

/** Runs its arguments with a full pipe as standard error, which nobody reads. */
const STALLED = `
import os, sys
reader, writer = os.pipe()
os.set_inheritable(reader, True)
os.set_blocking(writer, False)
try:
    while True: os.write(writer, b"x" * 512)
except BlockingIOError: pass
os.set_blocking(writer, True)
os.dup2(writer, 2)
os.execvp(sys.argv[1], sys.argv[1:])
`;

Deno.test({
  name: "a reader of standard error that stops holds up neither answers nor signals",
  ignore: !isRoot() || !has("python3"),
  async fn() {
    await using place = new Place();
    const rules = await withRule(place);
    await using saker = await Saker.start([place.marker], {
      args: ["-r", rules],
      through: [PYTHON, "-c", STALLED],
    });
    for (const signal of ["SIGHUP", "SIGSTOP", "SIGCONT"] as const) Deno.kill(saker.pid, signal);
    await stillSees(saker, place);
    assertEquals((await saker.health())?.status, 200);
    assertEquals((await saker.stop()).code, 0);
  },
});

Deno.test({
  name: "rules that are still being written are waited for",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const rules = await withRule(place);
    await using saker = await Saker.start([place.marker], { args: ["-r", rules] });
    // A slow copy: half of it stands there, and would be sound.
    const copy = await Deno.open(rules, { write: true, truncate: true });
    const text = new TextEncoder().encode(
      `${ruleNamed("Early", place)}${ruleNamed("Late", place)}`,
    );
    const half = text.length / 2 | 0;
    await copy.write(text.subarray(0, half));
    Deno.kill(saker.pid, "SIGHUP");
    await stillSees(saker, place);
    await copy.write(text.subarray(half));
    assert(!saker.told.includes("Reloaded") && !saker.told.includes("refused"), saker.told);
    copy.close();
    await told(saker, "Reloaded: 2 rules.");
  },
});
