// Whether somebody else has put something in the way of a file that is to be written: a symbolic
// link that another user made, or a second name of a file, in a directory that others can write to.
// A saker that runs as root would write to a file that they chose. A path comes in; flags for its
// open go out, or an error.
import { constants, lstatSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { codeOf, NotRegular } from "./reason.ts";

const OTHERS_WRITE = 0o022;

/** O_NOFOLLOW, or 0 where a link of root's or one's own stands there. */
export function flagsAgainstLinks(path: string): number {
  const found = look(path);
  if (found === undefined) return constants.O_NOFOLLOW;
  if (found.isSymbolicLink()) {
    if (isForeign(found)) throw new NotRegular("it is a link that another user has made");
    return 0;
  }
  if (found.isFile() && found.nlink > 1) {
    const directory = look(dirname(path));
    if (
      directory !== undefined && (isForeign(directory) || (directory.mode & OTHERS_WRITE) !== 0)
    ) {
      throw new NotRegular("it has another name, and other users can write to its directory");
    }
  }
  return constants.O_NOFOLLOW;
}

function isForeign({ uid }: Stats): boolean {
  return uid !== 0 && uid !== Deno.uid();
}

function look(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    // What else is amiss its open tells.
    if (codeOf(error) !== undefined) return undefined;
    throw error;
  }
}
