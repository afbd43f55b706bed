// Falco's published container plugin instead of saker's own part, where it is given
// (SAKER_TEST_PLUGINS), with a real Docker: it sends the events of containers, and its fields are
// in alerts of system calls.
import { libraryOf, named, whyNot } from "../plugins/published.ts";
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { IMAGE } from "./runtimes/image.ts";
import { about } from "./runtimes/watched.ts";
import { withRuntime } from "./runtimes/with_runtime.ts";
import { eventually, Saker } from "./saker.ts";
import { isRoot, type Place } from "./trigger.ts";

const OUTPUT = "%container.name %container.image %container.type %container.privileged " +
  "%container.label[team] %container.mount.source[/host/etc] %container.mount[/nowhere] " +
  "%container.full_id %evt.asynctype %proc.cmdline";

function configOf(place: Place, socket: string): string[] {
  const on = { enabled: true };
  const off = { enabled: false, sockets: [] };
  const engines = {
    docker: { ...on, sockets: [socket] },
    ...{ podman: off, containerd: off, cri: off, lxc: on, libvirt_lxc: on, bpm: on },
  };
  const plugin = {
    ...{ name: "container", library_path: libraryOf("container"), builtin: false },
    init_config: { label_max_len: 100, engines },
  };
  const config = { plugins: [plugin], load_plugins: ["container"], json_output: true };
  Deno.writeTextFileSync(place.file("falco.yaml"), JSON.stringify(config));
  const rule = (rule: string, condition: string) => ({
    ...{ rule, condition, desc: rule, priority: "NOTICE", output: OUTPUT },
  });
  const rules = [
    rule(
      "In a container",
      `evt.type in (execve, execveat) and proc.cmdline startswith "sh -c true ${place.marker}"`,
    ),
    rule("Made", `evt.type = container and container.name startswith ${place.marker}`),
    rule("Gone", `evt.type = container_removed and container.name startswith ${place.marker}`),
  ];
  Deno.writeTextFileSync(place.file("rules.yaml"), JSON.stringify(rules));
  return ["-c", place.file("falco.yaml"), "-r", place.file("rules.yaml")];
}

Deno.test({
  ...named(
    "Falco's container plugin tells of containers of a real Docker, those from before included",
    isRoot() ? whyNot("container") : "it needs root",
  ),
  async fn(t) {
    await withRuntime(t, "docker", async (docker, place) => {
      const run = (mark: string, ...options: string[]) =>
        docker.must(
          ...["run", "-d", "--network=none", "--name", mark, ...options, IMAGE],
          ...["sh", "-c", "sleep 1000"],
        );
      const act = (mark: string) => docker.must("exec", mark, "sh", "-c", "true", mark);
      const before = place.mark("before");
      await run(before, "--label", "team=blue");
      const args = configOf(place, docker.socket);
      for (const round of ["first", "again"]) {
        await using saker = await Saker.start([place.marker], { args });
        assertIncludes(saker.told, "Plugin 'container' runs in saker's own process");
        const mark = place.mark(round);
        await run(mark, "--label", "team=red", "-v", "/etc:/host/etc:ro");
        // The plugin asks Docker, which may answer only when the container runs.
        const made = await saker.alert("Made", mark);
        assertEquals(about(made, "evt.asynctype", "container.label[team]"), ["container", "red"]);
        await act(mark);
        const alert = await saker.alert("In a container", mark);
        assertEquals(
          about(alert, "container.name", "container.image", "container.type"),
          [mark, IMAGE, "docker"],
        );
        assertEquals(
          about(alert, "container.privileged", "container.label[team]"),
          [false, "red"],
        );
        assertEquals(
          about(alert, "container.mount.source[/host/etc]", "container.mount[/nowhere]"),
          ["/etc", null],
        );
        await docker.must("rm", "--force", mark);
        const gone = await saker.alert("Gone", mark);
        assertEquals(about(gone, "evt.asynctype"), ["container_removed"]);
        await docker.must("exec", before, "sh", "-c", "true", `${before}-${round}`);
        const inside = await saker.alert("In a container", `${before}-${round}`);
        assertEquals(about(inside, "container.name", "container.label[team]"), [before, "blue"]);
        const plugin = await eventually("health of the plugin", async () => {
          const { plugins } = (await saker.health())?.body as unknown as {
            plugins?: { name: string; state: string; errors: number }[];
          };
          return plugins?.find(({ name }) => name === "container");
        });
        assertEquals([plugin.state, plugin.errors], ["running", 0]);
        // Ended as by a fault the first time: nothing of it is in the way of the next start.
        const { code } = await saker.stop(round === "first" ? "SIGKILL" : "SIGTERM");
        assert(round === "first" || code === 0, `exit code ${code}`);
      }
    });
  },
});
