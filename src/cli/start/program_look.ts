// A look at a program of this host, for exceptions that rest on its path: whether anybody but root
// can put another file in its place. In: a path. Out: that, with who can.
import type { Look } from "../../tune/places.ts";

const WRITABLE_BY_GROUP = 0o020;
const WRITABLE_BY_ALL = 0o002;
const STICKY = 0o1000;
/** Who is in one of these groups is root as well, on the distributions that have them. */
const ROOTS_GROUPS: ReadonlySet<number> = new Set([0]);

/** Looks at the file and at each directory above it. Undefined where it is not there. */
export const lookAt: Look = (path) => {
  if (!path.startsWith("/")) return undefined;
  let at = path;
  for (;;) {
    const info = lstat(at);
    if (info === undefined) return undefined;
    const why = whoWrites(at, info);
    if (why !== undefined) return { rootOnly: false, why };
    if (at === "/") return { rootOnly: true, why: "" };
    at = at.slice(0, at.lastIndexOf("/")) || "/";
  }
};

function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch {
    return undefined;
  }
}

function whoWrites(path: string, { uid, gid, mode, isSymlink }: Deno.FileInfo): string | undefined {
  if (uid !== null && uid !== 0) return `${path} is owned by user ${uid}`;
  // The mode of a link says nothing.
  if (mode === null || isSymlink) return undefined;
  if ((mode & WRITABLE_BY_ALL) !== 0 && (mode & STICKY) === 0) return `everybody may write ${path}`;
  if ((mode & WRITABLE_BY_GROUP) !== 0 && gid !== null && !ROOTS_GROUPS.has(gid)) {
    return `group ${gid} may write ${path}`;
  }
  return undefined;
}
