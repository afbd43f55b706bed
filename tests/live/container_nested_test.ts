// A container in a container: Podman and runc in one of Docker's. The inner one's id is the one
// that counts, and of it stands in an alert what the runtime that made it tells, where it can be
// asked.
import { assert, assertEquals } from "./expect.ts";
import { IMAGE, makeRootDirectory, packImage } from "./runtimes/image.ts";
import { configure } from "./runtimes/podman.ts";
import { placeOciRuntime } from "./runtimes/rights.ts";
import { demand, environment, TOOLS, unpacked } from "./runtimes/unpacked.ts";
import { about, PATIENT, untilUp, watch } from "./runtimes/watched.ts";
import { withRuntime } from "./runtimes/with_runtime.ts";
import type { Alert } from "./saker.ts";

Deno.test("a container in a container is known by its own id, name and image", async (t) => {
  await withRuntime(t, "docker", async (docker, place) => {
    demand("podman");
    const work = place.file("inner");
    await Deno.mkdir(`${work}/first/.config/containers`, { recursive: true });
    const socket = `${work}/podman.sock`;
    const env = { ...environment(`${work}/first`), ...await configure(work) };
    const root = `${work}/box`;
    await makeRootDirectory(root);
    const image = await packImage(root, work);
    await using saker = await watch(place, { docker: [docker.socket], podman: [socket] }, [
      "docker",
    ], PATIENT);
    const outer = place.mark("outer");
    const shared = [place.path, TOOLS, "/usr", "/lib", "/lib64"];
    const volumes = shared.flatMap((path) => ["--volume", `${path}:${path}`]);
    await docker.must(
      ...["run", "--detach", "--privileged", "--network=none", "--name", outer],
      ...["--tmpfs", "/run:exec", "--tmpfs", "/var/tmp", ...volumes, IMAGE, "sleep", "600"],
    );
    const setting = Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
    const inside = (...command: readonly string[]) =>
      docker.must("exec", ...setting, outer, ...command);
    const podman = unpacked("podman");
    await inside(podman, "load", "--input", image);
    await docker.must(
      ...["exec", "--detach", ...setting, outer],
      ...[podman, "system", "service", "--time=0", `unix://${socket}`],
    );
    await untilUp(saker, "podman");
    const mark = place.mark("inner");
    await inside(
      ...[podman, "run", "--rm", "--network=none", "--cidfile", `${work}/cid`, "--name", mark],
      ...["--label", "team=red", IMAGE, "sh", "-c", "true", mark],
    );
    const id = (await Deno.readTextFile(`${work}/cid`)).trim();
    const alert = await saker.alert("Of red", mark);
    assertEquals(
      about(alert, "container.id", "container.full_id", "container.name", "container.type"),
      [id.slice(0, 12), id, mark, "podman"],
    );
    assertEquals(about(alert, "container.image.tag"), ["1"]);

    // Of one that no runtime that can be asked knows there is the id, and that it is all.
    const bare = place.mark("bare");
    const digits = crypto.randomUUID().replaceAll("-", "").repeat(2);
    await byHand(digits, work, root, ["sh", "-c", "true", bare], inside);
    const untold = await saker.alert("In a container", bare);
    assertEquals(about(untold, "container.id", "container.name"), [digits.slice(0, 12), null]);
    const { container_metadata: missing } = untold as Alert & { container_metadata?: string };
    assertEquals(missing, "missing");
    const told = saker.alertsWith(outer).map(({ output_fields }) => output_fields["container.id"]);
    assert(!told.includes(id.slice(0, 12)));
  });
});

/** A container of runc's own command. */
async function byHand(
  id: string,
  work: string,
  root: string,
  args: readonly string[],
  inside: (...command: readonly string[]) => Promise<string>,
): Promise<void> {
  const runc = placeOciRuntime("runc", `${work}/first`);
  const bundle = `${work}/bundle`;
  await Deno.mkdir(bundle);
  await inside(runc, "spec", "--bundle", bundle);
  const config = JSON.parse(await Deno.readTextFile(`${bundle}/config.json`));
  config.root = { path: root };
  config.process.terminal = false;
  config.process.args = args;
  await Deno.writeTextFile(`${bundle}/config.json`, JSON.stringify(config));
  await inside(runc, "--root", `${work}/state`, "run", "--bundle", bundle, id);
}
