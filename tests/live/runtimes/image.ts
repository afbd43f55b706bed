// An image for tests, made of busybox alone and without any registry: a directory to be a
// container's root, and an archive that every runtime loads.
import { assert } from "../expect.ts";
import { run } from "../trigger.ts";
import { unpacked } from "./unpacked.ts";

export const IMAGE = "saker.test/box:1";
export const IMAGE_LABELS = { "saker.test/part": "box", "org.opencontainers.image.title": "box" };

const FILES: Readonly<Record<string, string>> = {
  "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nboxer:x:1000:1000::/:/bin/sh\n",
  "etc/group": "root:x:0:\nboxer:x:1000:\n",
  "etc/shadow": "root:*:19000:0:99999:7:::\n",
};

/** Makes the root directory of a container: every command of busybox, and a few files. */
export async function makeRootDirectory(root: string): Promise<void> {
  for (const name of ["bin", "etc", "dev", "proc", "sys", "tmp", "run", "root", "var"]) {
    await Deno.mkdir(`${root}/${name}`, { recursive: true });
  }
  await Deno.chmod(`${root}/tmp`, 0o1777);
  await Deno.copyFile(unpacked("busybox"), `${root}/bin/busybox`);
  await Deno.chmod(`${root}/bin/busybox`, 0o755);
  const { stdout } = await run(`${root}/bin/busybox`, ["--list"]);
  for (const name of stdout.split("\n")) {
    if (name === "" || name === "busybox") continue;
    await Deno.symlink("busybox", `${root}/bin/${name}`);
  }
  for (const [name, text] of Object.entries(FILES)) {
    await Deno.writeTextFile(`${root}/${name}`, text);
  }
}

export interface ImageOptions {
  readonly name?: string;
  /** Of the image's configuration, by Docker's names: Env, User, Healthcheck, … */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Packs a root directory into an archive as `docker save` writes it; returns its path. */
export async function packImage(
  root: string,
  directory: string,
  options: ImageOptions = {},
): Promise<string> {
  const { name = IMAGE, config = {} } = options;
  const work = await Deno.makeTempDir({ dir: directory });
  await packed(root, `${work}/layer.tar`);
  const layer = await sha256(`${work}/layer.tar`);
  const settings = {
    architecture: "amd64",
    os: "linux",
    created: "2024-01-02T03:04:05Z",
    config: {
      Env: ["PATH=/bin"],
      Cmd: ["/bin/sh"],
      WorkingDir: "/",
      Labels: IMAGE_LABELS,
      ...config,
    },
    rootfs: { type: "layers", diff_ids: [`sha256:${layer}`] },
    history: [{ created: "2024-01-02T03:04:05Z", created_by: "test" }],
  };
  await Deno.writeTextFile(`${work}/config`, JSON.stringify(settings));
  const id = await sha256(`${work}/config`);
  await Deno.rename(`${work}/config`, `${work}/${id}.json`);
  const manifest = [{ Config: `${id}.json`, RepoTags: [name], Layers: ["layer.tar"] }];
  await Deno.writeTextFile(`${work}/manifest.json`, JSON.stringify(manifest));
  const archive = `${directory}/${id.slice(0, 12)}.tar`;
  await packed(work, archive);
  await Deno.remove(work, { recursive: true });
  return archive;
}

async function packed(directory: string, archive: string): Promise<void> {
  const args = ["--numeric-owner", "--owner=0", "--group=0", "-C", directory, "-cf", archive, "."];
  const { code, stderr } = await run("tar", args);
  assert(code === 0, stderr);
}

async function sha256(path: string): Promise<string> {
  const { stdout } = await run("sha256sum", [path]);
  return stdout.split(" ")[0]!;
}
