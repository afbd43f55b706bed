// Which C library an installed saker needs. In: what was built. Out: a version such as 2.34.
import { output, ROOT } from "./about.ts";

const PROGRAMS = ["dist/front/denort", "dist/embed/addon.node", "dist/embed/plugin-host"];

/** The newest version that anything in the executable asks for. */
export async function oldestLibc(): Promise<string> {
  const texts = await Promise.all(
    PROGRAMS.map((path) => output("readelf", ["--version-info", "--wide", `${ROOT}${path}`])),
  );
  const wanted = texts.flatMap((text) =>
    [...text.matchAll(/\bGLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) =>
      [+major!, +minor!] as const
    )
  );
  const [newest] = wanted.sort(([a, b], [c, d]) => c - a || d - b);
  if (newest === undefined) throw new Error("readelf names no version of the C library");
  return newest.join(".");
}
