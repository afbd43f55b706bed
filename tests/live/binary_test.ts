// The built file as a person uses it: alone, in a pipe, ended by a signal.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { eventually, freePort, lines, SAKER, Saker } from "./saker.ts";
import { has, isRoot, Place, shell } from "./trigger.ts";

const RULE = "Sensitive file read by an untrusted program";
const READ = "exec 3< /etc/shadow";

Deno.test({
  name: "saker copied alone to an empty directory watches, and leaves nothing there",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    await using tmp = new Place();
    const binary = place.file("saker");
    await Deno.copyFile(SAKER, binary);
    await Deno.chmod(binary, 0o755);
    {
      await using _saker = await Saker.start([place.marker], {
        binary,
        cwd: place.path,
        env: { HOME: place.path, TMPDIR: tmp.path },
      });
      await shell(place.marker, READ);
      await _saker.alert(RULE, place.marker);
    }
    assertEquals([...Deno.readDirSync(place.path)].map(({ name }) => name), ["saker"]);
    assertEquals([...Deno.readDirSync(tmp.path)], []);
  },
});

Deno.test({
  name: "the addon is loaded from a private directory and from no predictable place",
  ignore: !isRoot(),
  async fn() {
    await using tmp = new Place();
    using watcher = Deno.watchFs(tmp.path);
    await using saker = await Saker.start([tmp.marker], { env: { TMPDIR: tmp.path } });
    const maps = await Deno.readTextFile(`/proc/${saker.pid}/maps`);
    const libraries = new Set(maps.match(/\/\S*\.node\b.*/g));
    assertEquals(libraries.size, 1);
    const [library] = libraries;
    // The directory was made for this run, and is gone.
    assert(/\/saker-[^/]{6,}\/[^/]+\.node \(deleted\)$/.test(library!), library);
    assert(!library!.startsWith(tmp.path));
    // Nothing was unpacked where others could have put something before.
    const touched: string[] = [];
    const watching = (async () => {
      for await (const event of watcher) touched.push(...event.paths);
    })();
    await saker.stop();
    watcher.close();
    await watching;
    assertEquals(touched.filter((path) => path !== tmp.path), []);
  },
});

Deno.test({
  name: "saker in a pipe hands over each alert as it happens",
  ignore: !isRoot() || !has("jq"),
  async fn() {
    await using place = new Place();
    const filter = `select(.output_fields["proc.cmdline"] | contains("${place.marker}")) | .rule`;
    const pipe = `"$0" --listen "127.0.0.1:$1" | jq --unbuffered -r "$2"`;
    const child = new Deno.Command("/bin/sh", {
      args: ["-c", pipe, SAKER, `${freePort()}`, filter],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const errors = lines(child.stderr);
    // It says on standard error that it watches.
    await eventually("saker to watch", async () => {
      const { value, done } = await errors.next();
      assert(!done, "saker ended");
      return value!.includes("is watching") ? true : undefined;
    });
    const rules = lines(child.stdout);
    for (const step of ["a", "b"]) {
      await shell(place.mark(step), READ);
      assertEquals((await rules.next()).value, RULE);
    }
    // The shell's other child ends when saker does.
    await stopChildren(child.pid, "saker");
    await rules.return(undefined);
    await errors.return(undefined);
    await child.status;
  },
});

Deno.test({
  name: "saker whose reader is gone ends by itself and says nothing of it",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const port = freePort();
    const child = new Deno.Command(SAKER, {
      args: ["--listen", `127.0.0.1:${port}`],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const stderr = new Response(child.stderr).text();
    await eventually("saker to be well", async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
      await answer?.body?.cancel();
      return answer?.status === 200 ? true : undefined;
    });
    await child.stdout.cancel();
    let ended = false;
    child.status.then(() => ended = true);
    await eventually("saker to end", async () => {
      await shell(place.marker, READ);
      return ended ? true : undefined;
    });
    assertEquals((await child.status).code, 0);
    assert(!/error|EPIPE|broken/i.test(await stderr), await stderr);
  },
});

Deno.test({
  name: "saker ended by SIGTERM or SIGINT leaves with a summary",
  ignore: !isRoot(),
  async fn() {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      await using place = new Place();
      const saker = await Saker.start([place.marker]);
      await shell(place.marker, READ);
      await saker.alert(RULE, place.marker);
      const { code, stderr } = await saker.stop(signal);
      assertEquals(code, 0);
      assertIncludes(stderr, "Events detected:");
      assertIncludes(stderr, RULE);
    }
  },
});

/** Ends the children of the process whose command has the name. */
async function stopChildren(pid: number, name: string): Promise<void> {
  const children = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  for (const child of children.trim().split(" ")) {
    const comm = await Deno.readTextFile(`/proc/${child}/comm`);
    if (comm.trim() === name) Deno.kill(Number(child), "SIGTERM");
  }
}
