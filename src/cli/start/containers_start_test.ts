// What Falco's container plugin is told, and what of it reaches the engine.
import { deepStrictEqual } from "node:assert";
import { readConfig } from "../../config/read_config.ts";
import { containersStart, knownContainers } from "./containers_start.ts";

function configOf(engines: Record<string, unknown>) {
  const plugin = JSON.stringify({ name: "container", init_config: { engines } });
  const options = [`plugins[]=${plugin}`];
  return readConfig({ file: undefined, options, environment: () => undefined }).config;
}

Deno.test("a static engine is one container of all, and nobody is asked", () => {
  const config = configOf({
    lxc: { enabled: false },
    static: {
      ...{ enabled: true, container_id: "task", container_name: "web" },
      container_image: "host:5000/some/box:1@sha256:ee",
    },
  });
  deepStrictEqual(containersStart(config).sockets, []);
  const image = { imagerepo: "host:5000/some/box", imagetag: "1", imagedigest: "sha256:ee" };
  deepStrictEqual(knownContainers(config), {
    off: ["lxc"],
    all: {
      ...{ id: "task", fullId: "", type: "" },
      info: { id: "task", name: "web", image: "host:5000/some/box:1@sha256:ee", ...image },
    },
  });
});

Deno.test("engines that are off are not asked, or have no containers", () => {
  const off = { enabled: false };
  const config = configOf({
    docker: off,
    podman: off,
    containerd: off,
    bpm: off,
    libvirt_lxc: off,
  });
  deepStrictEqual(knownContainers(config), { off: ["libvirt-lxc", "bpm"] });
  deepStrictEqual([...new Set(containersStart(config).sockets.map(({ kind }) => kind))], ["cri"]);
});
