// `saker alerts` against a running saker: what it shows on a real terminal, through resizes and
// while saker is away; its filters; who is let in; what it answers where nobody is there.
import { ownCertificate } from "../../src/alerts/outputs/message_fixture.ts";
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { eventually, freePort, runSaker, SAKER, Saker } from "./saker.ts";
import { hasTmux, Tmux } from "./tmux.ts";
import { has, isRoot, Place, shell } from "./trigger.ts";

/** Rules about a directory of the test's own, so that nobody else's doings are shown. */
async function rulesFor(place: Place): Promise<readonly string[]> {
  const rule = (name: string, directory: string, priority: string) =>
    `- rule: ${name}
  desc: For a test.
  condition: >-
    evt.type in (open, openat, openat2) and proc.name in (cat, head) and
    fd.name startswith ${place.path}/${directory}/
  output: ${name} (file=%fd.name program=%proc.name of=%container.id)
  priority: ${priority}
`;
  await Deno.writeTextFile(
    place.file("rules.yaml"),
    rule("Opened here", "loud", "WARNING") + rule("Looked at", "quiet", "INFO"),
  );
  for (const name of ["loud", "quiet"]) await Deno.mkdir(place.file(name));
  return ["-r", place.file("rules.yaml")];
}

/** Opens a file by a program of that name. */
async function open(place: Place, name: string, program = "cat"): Promise<void> {
  await Deno.writeTextFile(place.file(name), "");
  await shell(place.marker, `exec ${program} "$1"`, [place.file(name)]);
}

/** Waits until an alert about the file is held. */
async function held(place: Place, saker: Saker, name: string): Promise<void> {
  await eventually(`an alert of ${name}`, async () => {
    const answer = await fetch(
      `http://127.0.0.1:${saker.port}/alerts/recent?search=${place.marker}%20${name}`,
    );
    return (await answer.json()).alerts.length > 0 ? true : undefined;
  });
}

Deno.test({
  name: "alerts are shown on a terminal of 80 and of 40 columns, and saker's absence is told",
  ignore: !isRoot() || !hasTmux(),
  async fn() {
    await using place = new Place();
    const args = await rulesFor(place);
    let saker = await Saker.start([place.marker], { args });
    const { port } = saker;
    try {
      await open(place, "loud/before");
      await held(place, saker, "loud/before");
      const url = `127.0.0.1:${port}`;
      await using screen = await Tmux.open(
        place,
        `${SAKER} alerts --url ${url}; echo "ended with $?"`,
        { columns: 80, rows: 30 },
      );
      // A long name goes on in the next line.
      const shows = (text: string) => (lines: readonly string[]) =>
        lines.map((line) => line.trim()).join("").includes(text);
      const before = await screen.until("the alert of before", shows("loud/before"));
      const head = before.find((line) => line.includes("Opened here"))!;
      assert(/^\d\d:\d\d:\d\d Warning Opened here #\d+$/.test(head), head);
      assertIncludes(await screen.coloured(), "\x1b[33m");

      // What would clear the screen, set its title, and turn the direction of reading.
      await open(place, "loud/\x1b[2J\x1b]0;owned\x07\u202e名前");
      const hostile = await screen.until("the hostile name", shows("名前"));
      assert(shows("\\u001b[2J")(hostile) && shows("loud/before")(hostile));
      assert(await screen.told("pane_title") !== "owned");

      await screen.resize({ columns: 40, rows: 30 });
      await open(place, "loud/narrow");
      const narrow = await screen.until("an alert in 40 columns", shows("narrow"));
      const at = narrow.findLastIndex((line) => line.includes("Opened here"));
      assert(/^\d\d:\d\d:\d\d Warning Opened here #\d+$/.test(narrow[at]!), narrow[at]);
      assert(narrow.slice(at + 1).every((line) => line === "" || line.startsWith("  ")));
      assertIncludes(
        narrow.slice(at + 1).map((line) => line.trim()).join(""),
        `file=${place.path}/loud/narrow`,
      );

      await saker.stop();
      await screen.until("that saker is gone", shows("is gone"));
      saker = await Saker.start([place.marker], { args, port });
      await screen.until("that saker is back", shows("answers again"));
      await open(place, "loud/after");
      await screen.until("an alert of the next saker", shows("loud/after"));
      const history = (await screen.history()).join("\n");
      assertEquals(history.split("is gone").length, 2, "it is told once");
      await screen.press("C-c");
      await screen.until("its exit code", shows("ended with 0"));
    } finally {
      await saker.stop();
    }
  },
});

Deno.test({
  name: "filters choose, JSON is whole, and a pipe gets lines without colour",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    await using saker = await Saker.start([place.marker], { args: await rulesFor(place) });
    await open(place, "loud/one");
    await open(place, "quiet/two", "head");
    await open(place, "loud/three", "head");
    for (const name of ["loud/one", "quiet/two", "loud/three"]) await held(place, saker, name);
    const url = `127.0.0.1:${saker.port}`;
    const asked = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await runSaker(["alerts", "--url", url, "--once", ...args]);
      assertEquals(code, 0, stderr);
      return stdout.trimEnd().split("\n").filter((line) => line !== "");
    };
    const names = async (...args: readonly string[]) =>
      (await asked(...args)).map((line) => /file=\S*\/(\w+)/.exec(line)?.[1]);
    assertEquals(await names(), ["one", "two", "three"]);
    const lines = await asked();
    assert(lines.every((line) => /^\d\d:\d\d:\d\d\.\d{9}: (Warning|Informational) /.test(line)));
    assertEquals(await names("-n", "1"), ["three"]);
    assertEquals(await names("-n", "0"), []);
    assertEquals(await names("--priority", "warning"), ["one", "three"]);
    assertEquals(await names("--rule", "looked AT"), ["two"]);
    assertEquals(await names("--process", "head"), ["two", "three"]);
    assertEquals(await names("--process", "head", "--process", "cat", "--rule", "Opened here"), [
      "one",
      "three",
    ]);
    assertEquals(await names("--search", "QUIET/two opened"), []);
    assertEquals(await names("--search", "quiet/TWO looked"), ["two"]);
    assertEquals(await names("--container", "no-such-container"), []);
    assertEquals(await names("--since", "1h"), ["one", "two", "three"]);
    assertEquals(await names("--since", "2100-01-01"), []);
    const json = (await asked("--json")).map((line) => JSON.parse(line));
    assertEquals(json.map(({ rule }) => rule), ["Opened here", "Looked at", "Opened here"]);
    const one = await asked("--show", `${json[2].seq}`);
    assertIncludes(one[0]!, "loud/three");
    for (const part of ["Who started whom", "Why it fired", "  ✓ all of", "  proc.name = head"]) {
      assert(one.some((line) => line.startsWith(part)), part);
    }
    const whole = JSON.parse((await asked("--show", json[2].id, "--json"))[0]!);
    assertEquals(whole.alert.id, json[2].id);
    const none = await runSaker(["alerts", "--url", url, "--show", "999999"]);
    assertEquals([none.code, none.stderr], [1, "Error: no such alert is held\n"]);
    const mistyped = await runSaker(["alerts", "--url", url, "--rule", "Opened her"]);
    assertEquals(mistyped.code, 1);
    assertEquals(
      mistyped.stderr,
      'Error: --rule Opened her: it has no such rule; is it "Opened here"?\n',
    );
  },
});

Deno.test({
  name: "a follower in a pipe gets each alert once, those of before and those that come",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    await using saker = await Saker.start([place.marker], { args: await rulesFor(place) });
    await open(place, "loud/a0");
    await held(place, saker, "loud/a0");
    const child = new Deno.Command(SAKER, {
      args: ["alerts", "--url", `127.0.0.1:${saker.port}`, "--json"],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    let text = "";
    const reading = (async () => {
      for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) text += piece;
    })();
    await eventually("the alert of before", () => text.includes("loud/a0") ? true : undefined);
    for (let at = 1; at <= 20; at++) await open(place, `loud/a${at}`);
    await eventually("the last alert", () => text.includes('loud/a20"') ? true : undefined);
    child.kill("SIGTERM");
    assertEquals((await child.status).code, 0);
    await reading;
    assertEquals(await new Response(child.stderr).text(), "");
    const files = text.trimEnd().split("\n")
      .map((line) => `${JSON.parse(line).output_fields["fd.name"]}`.split("/").at(-1));
    assertEquals(files, Array.from({ length: 21 }, (_, at) => `a${at}`));
  },
});

Deno.test({
  name: "a token and an own authority are asked for, given by flag, environment or configuration",
  ignore: !isRoot() || !has("openssl"),
  async fn() {
    await using place = new Place();
    const { certificate, key } = await ownCertificate(place.path, "localhost");
    await Deno.writeTextFile(place.file("both.pem"), certificate + key);
    const token = "a-token-of-a-test-0123456789";
    await Deno.writeTextFile(place.file("token"), `${token}\n`);
    const port = freePort();
    await Deno.writeTextFile(
      place.file("falco.yaml"),
      `webserver:
  listen_port: ${port}
  token_file: ${place.file("token")}
  ssl_enabled: true
  ssl_certificate: ${place.file("both.pem")}
`,
    );
    const config = ["-c", place.file("falco.yaml")];
    const saker = Saker.launch([place.marker], {
      args: [...config, ...await rulesFor(place)],
      port,
    });
    try {
      const ca = place.file("certificate.pem");
      const ask = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
        runSaker(["alerts", "--once", ...args], { env });
      const url = ["--url", `https://localhost:${port}`];
      const file = ["--token-file", place.file("token")];
      const well = await eventually("an answer", async () => {
        const answer = await ask([...url, ...file, "--ca-file", ca]);
        return answer.code === 2 ? undefined : answer;
      });
      assertEquals([well.code, well.stderr], [0, ""]);
      const given = await ask([...url, "--ca-file", ca], { SAKER_TOKEN: token });
      assertEquals(given.code, 0, given.stderr);
      // The configuration has the token and the certificate.
      const configured = await ask([...config, ...url]);
      assertEquals(configured.code, 0, configured.stderr);
      const without = await ask([...url, "--ca-file", ca]);
      assertEquals(without.code, 1);
      assertIncludes(without.stderr, "token");
      const wrong = await ask([...url, "--ca-file", ca], { SAKER_TOKEN: "something-else-0123" });
      assertEquals(wrong.code, 1);
      assert(!wrong.stderr.includes("something-else"), wrong.stderr);
      const untrusted = await ask([...url, ...file]);
      assertEquals(untrusted.code, 2);
      assertIncludes(untrusted.stderr, "--ca-file");
    } finally {
      await saker.stop();
    }
  },
});

Deno.test("where nobody answers it is one line and exit code 2, a mistake is 1", async () => {
  const port = freePort();
  for (const more of [[], ["--once"]]) {
    const { code, stdout, stderr } = await runSaker(["alerts", "--url", `:${port}`, ...more]);
    assertEquals([code, stdout], [1, ""], stderr);
    const gone = await runSaker(["alerts", "--url", `localhost:${port}`, ...more]);
    assertEquals([gone.code, gone.stdout], [2, ""]);
    assert(/^Error: No saker answers at .*\n$/.test(gone.stderr), gone.stderr);
  }
  // Something else answers there.
  await using other = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("<html>", { status: 404 }),
  );
  const strange = await runSaker(["alerts", "--url", `127.0.0.1:${other.addr.port}`, "--once"]);
  assertEquals(strange.code, 1);
  assertIncludes(strange.stderr, "this is no saker");
});
