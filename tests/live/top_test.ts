// `saker top` against a running saker, on a real terminal: what it shows, at 80 and at 40 columns;
// its keys; saker's absence; and that the terminal is as it was whenever top does not have it.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { eventually, freePort, runSaker, SAKER, Saker } from "./saker.ts";
import { hasTmux, Tmux } from "./tmux.ts";
import { isRoot, Place, shell } from "./trigger.ts";

/** A rule about files of the test's own. */
async function rulesFor(place: Place): Promise<readonly string[]> {
  await Deno.writeTextFile(
    place.file("rules.yaml"),
    `- rule: Opened for the test
  desc: For a test.
  condition: evt.type in (open, openat, openat2) and fd.name = ${place.file("watched")}
  output: Opened (file=%fd.name)
  priority: WARNING
`,
  );
  await Deno.writeTextFile(place.file("watched"), "");
  return ["-r", place.file("rules.yaml")];
}

interface Busy {
  readonly pid: number;
  readonly exepath: string;
  readonly events: number;
  readonly per_second: number;
}

const shows = (text: string | RegExp) => (lines: readonly string[]) =>
  lines.some((line) => typeof text === "string" ? line.includes(text) : text.test(line));

Deno.test({
  name: "top shows events, processes and rules in place, in 80 and 40 columns, through an absence",
  ignore: !isRoot() || !hasTmux(),
  async fn() {
    await using place = new Place();
    const args = await rulesFor(place);
    let saker = await Saker.start([place.marker], { args });
    const { port } = saker;
    try {
      await using screen = await Tmux.open(
        place,
        `${SAKER} top --interval 0.5 --url 127.0.0.1:${port}; echo "ended with $?"`,
        { columns: 80, rows: 30 },
      );
      const first = await screen.until(
        "its tables",
        (lines) => ["EVENTS", "PROCESSES", "RULES"].every((title) => shows(title)(lines)),
      );
      assert(shows(/^event +\/s▼ +kept\/s +judged +kept back +lost$/)(first));
      assert(shows(/q quit {2}\? help/)([first.at(-2)!]) || shows("q quit")(first));
      assertEquals(await screen.told("alternate_on"), "1");
      assertEquals(await screen.told("cursor_flag"), "0");

      await screen.until("a rule without alerts", shows(/^ +0 .*Opened for the test$/));
      for (let at = 0; at < 3; at++) {
        await shell(place.marker, 'exec cat "$1"', [place.file("watched")]);
      }
      await screen.until("alerts of it", shows(/^ +[1-3] .*Warning +Opened for the test$/));
      await screen.press("p");
      await screen.until(
        "processes alone",
        (lines) => shows("PROCESSES")(lines) && !shows("EVENTS")(lines),
      );
      await screen.press("g");
      await screen.until("programs", shows("PROGRAMS"));
      await screen.press("r", "s");
      await screen.until("rules by their rate", shows(/^ +alerts +\/s▼/));
      await screen.press("R");
      await screen.until("the other way round", shows(/^ +alerts +\/s▲/));
      await screen.press("?");
      await screen.until("its keys", shows("page up and down"));
      await screen.press("x", "a", "Space");
      await screen.until("a pause", shows("paused"));
      await screen.press("Space");
      await screen.until("that it goes on", (lines) => !shows("paused")(lines));

      await screen.resize({ columns: 40, rows: 24 });
      const narrow = await screen.until("40 columns", shows(/^event +\/s▼ +kept\/s +lost$/));
      assert(narrow.length <= 25 && shows("RULES")(narrow));
      await screen.resize({ columns: 40, rows: 6 });
      await screen.until(
        "a low screen",
        (lines) => lines.filter((line) => line !== "").length <= 6,
      );
      await screen.resize({ columns: 80, rows: 24 });
      await screen.until("a whole screen again", shows("RULES"));

      await saker.stop();
      await screen.until("that saker is gone", shows(/^gone since \d\d:\d\d:\d\d: /));
      saker = await Saker.start([place.marker], { args, port });
      await screen.until(
        "the next saker",
        (lines) => !shows("gone")(lines) && shows(/^ +0 .*Opened for the test$/)(lines),
      );
      await screen.press("q");
      await screen.until("its exit code", shows("ended with 0"));
      assertEquals(await screen.told("alternate_on"), "0");
      assertEquals(await screen.told("cursor_flag"), "1");
      assert(!shows("EVENTS")(await screen.lines()));
    } finally {
      await saker.stop();
    }
  },
});

/** A shell that waits for a line: what is typed before, top may still read, or throw away with the
 * modes that it puts back. */
const waits = (lines: readonly string[]) => lines.filter((line) => line !== "").at(-1) === "%";

/** What a shell reads of its terminal. */
const MODES =
  "stty -a | tr ' ' '\\n' | grep -x -e '-\\?icanon;\\?' -e '-\\?echo;\\?' | tr '\\n' ' '";

Deno.test({
  name: "the terminal is as it was while top is stopped, and however it ends",
  ignore: !isRoot() || !hasTmux(),
  async fn() {
    await using place = new Place();
    await using saker = await Saker.start([place.marker], { args: await rulesFor(place) });
    const top = `${SAKER} top --url 127.0.0.1:${saker.port}`;
    await using screen = await Tmux.open(place, "PS1='% ' exec sh -i", { columns: 80, rows: 24 });
    const has = async (told: string) => {
      await screen.until(told, shows(told));
      assertEquals(await screen.told("alternate_on"), "0");
      assertEquals(await screen.told("cursor_flag"), "1");
    };
    // What is no terminal to draw on gets a page of text.
    await screen.press(`TERM=dumb ${top} --rows 1 --interval 0.3; echo plain gave $?`, "Enter");
    await screen.until("a page", (lines) => shows("RULES")(lines) && shows("plain gave 0")(lines));
    assertEquals(await screen.told("alternate_on"), "0");
    await screen.press("clear", "Enter");
    await screen.until("a clear screen", (lines) => !shows("RULES")(lines) && waits(lines));
    await screen.press(`set -m; ${top}`, "Enter");
    await screen.until("top", shows("RULES"));
    await screen.press("C-z");
    await screen.until("the shell", waits);
    await screen.press(`echo stopped with $(${MODES})`, "Enter");
    await has("stopped with icanon echo");
    await screen.press("fg", "Enter");
    await screen.until("top again", shows("RULES"));
    assertEquals(await screen.told("alternate_on"), "1");
    await screen.press("C-c");
    await screen.until("the shell", waits);
    await screen.press(`echo ended by $? with $(${MODES})`, "Enter");
    await has("ended by 0 with icanon echo");
    for (const signal of ["TERM", "HUP", "QUIT"]) {
      const pid = place.file(`pid-${signal}`);
      await screen.press(`sh -c 'echo $$ > ${pid}; exec ${top}'`, "Enter");
      await screen.until("top", shows("RULES"));
      await shell(place.marker, `kill -${signal} "$(cat "$1")"`, [pid]);
      await screen.until("the shell", waits);
      await screen.press(`echo ${signal} gave $? with $(${MODES})`, "Enter");
      await has(`${signal} gave 0 with icanon echo`);
    }
  },
});

Deno.test({
  name: "top in a pipe is a page of text, as JSON one line, and has no colour",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    await using saker = await Saker.start([place.marker], { args: await rulesFor(place) });
    const url = ["--url", `127.0.0.1:${saker.port}`, "--interval", "0.3"];
    const text = await runSaker(["top", ...url, "--rows", "2"]);
    assertEquals([text.code, text.stderr], [0, ""]);
    for (const part of ["saker 0", "EVENTS", "PROCESSES", "RULES", "Opened for the test"]) {
      assertIncludes(text.stdout, part);
    }
    assert(!text.stdout.includes("\x1b"));
    const one = await runSaker(["top", ...url, "--once", "--view", "rules"]);
    assert(one.stdout.includes("RULES") && !one.stdout.includes("EVENTS"));
    const json = await runSaker(["top", ...url, "--json"]);
    assertEquals(json.stdout.trimEnd().split("\n").length, 1);
    const told = JSON.parse(json.stdout);
    assert(["ok", "degraded"].includes(told.status), told.status);
    assertEquals(told.rules.list.map(({ name }: { name: string }) => name), [
      "Opened for the test",
    ]);
    assert(told.types.length > 0 && told.seconds >= 0.3 && told.events.per_second >= 0);
    // This process opens the file that the rule is about, so that its events reach the engine.
    const own = await eventually("this process among the busiest", async () => {
      for (let at = 0; at < 500; at++) Deno.openSync(place.file("watched")).close();
      const { stdout } = await runSaker(["top", ...url, "--json"]);
      const { list } = JSON.parse(stdout).processes as { list: readonly Busy[] };
      return list.find(({ pid }) => pid === Deno.pid);
    });
    assertEquals(own.exepath, Deno.execPath());
    assert(own.events > 0 && own.per_second > 0);
    const gone = await runSaker(["top", "--url", `127.0.0.1:${freePort()}`]);
    assertEquals([gone.code, gone.stdout], [2, ""]);
    assertEquals(gone.stderr.split("\n").length, 2, gone.stderr);
  },
});
