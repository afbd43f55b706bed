// The Helm chart as `helm package` packs it, and the manifests that it gives. In: deploy/. Out: the
// bytes of a .tgz and of a .yaml. Their version and image are saker's own, or there is no package.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type About, ROOT } from "./about.ts";
import { gzip } from "./compress.ts";
import { IMAGE } from "./image.ts";
import { type Entry, file, tar } from "./tar.ts";

const CHART = join(ROOT, "deploy/helm/saker");
const MANIFESTS = join(ROOT, "deploy/kubernetes");

export function chartName({ version }: About): string {
  return `saker-chart-${version}.tgz`;
}

export function chart(about: About): Uint8Array {
  const text = Deno.readTextFileSync(join(CHART, "Chart.yaml"));
  const version = /^version: (.+)$/m.exec(text)?.[1];
  const app = /^appVersion: "(.+)"$/m.exec(text)?.[1];
  const values = Deno.readTextFileSync(join(CHART, "values.yaml"));
  const [image, tag] = /repository: (\S+)\n(?:\s+#.*\n)?\s+tag: "(.*)"/.exec(values)?.slice(1) ??
    [];
  if (version !== about.version || app !== about.version) {
    throw new Error(
      `deploy/helm/saker is of version ${version}, of saker ${app}; ` +
        `dist/saker is ${about.version}`,
    );
  }
  // A tag of its own would stay behind where a chart's values are used again for the next one.
  if (image !== IMAGE || tag !== "") {
    throw new Error(
      `deploy/helm/saker names the image ${image}:${tag}, wanted ${IMAGE} and no tag`,
    );
  }
  return gzip(tar(below(CHART, "saker"), about.epoch), 9);
}

export function manifestsName({ version }: About): string {
  return `saker-manifests-${version}.tgz`;
}

export function manifests(about: About): Uint8Array {
  const entries = below(MANIFESTS, `saker-manifests-${about.version}`)
    .filter(({ path }) => !path.endsWith(".values.yaml"));
  const wanted = `image: "${IMAGE}:${about.version}"`;
  for (const { path, bytes } of entries) {
    const images = new TextDecoder().decode(bytes).match(/^\s+image: .*$/gm) ?? [];
    if (images.length === 0 || images.some((line) => line.trim() !== wanted)) {
      throw new Error(`${path} names ${images.join(",").trim() || "no image"}, wanted ${wanted}`);
    }
  }
  return gzip(tar(entries, about.epoch), 9);
}

function below(directory: string, prefix: string): Entry[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return file(prefix + path.slice(directory.length), Deno.readFileSync(path));
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}
