// What the two views of a live event differ in. Tables and event in; the context's `differs` out,
// in which the bits of paths are nearly always 0: they are compared by the ids of their strings.
import { OWN_PATH, OWN_PATH2 } from "../../events/event.ts";
import { EVENTS, type Param } from "../../events/table.ts";
import type { Context } from "../contract/context.ts";
import { Differs } from "../contract/views.ts";
import { AT_FDCWD } from "../tables/paths.ts";
import { MISSING } from "../tables/strings.ts";
import type { Tables } from "../tables/tables.ts";
import type { Thread } from "../tables/thread.ts";

/** Calls without an event of their own. */
const GENERIC_X = 1;

interface PathParam {
  readonly index: number;
  /** Parameter with the directory's descriptor; -1: the working directory. */
  readonly dirfd: number;
}

/** Opens name their descriptor, executions their program; both are compared elsewhere. */
const ELSEWHERE = /^SYSCALL_(OPEN|CREAT|EXEC)/;

/** By event code: the parameters that are paths; undefined for none. */
const PATH_PARAMS: readonly (readonly PathParam[] | undefined)[] = EVENTS.map((info) => {
  if (info.code % 2 === 0 || ELSEWHERE.test(info.id)) return undefined;
  const isPath = ({ name, type }: Param) =>
    type === "FSPATH" || type === "FSRELPATH" || (info.name === "mount" && name === "dev");
  const found = info.params.flatMap((param, index) =>
    isPath(param) ? [{ index, dirfd: param.dirfd ?? -1 }] : []
  );
  return found.length === 0 ? undefined : found;
});

/** Input, output, errors. */
const STANDARD = 3;
/** By event code: whether the event lists descriptors, as polls do. */
const LISTS_FDS = Uint8Array.from(
  EVENTS,
  ({ params }) => params.some(({ type }) => type === "FDLIST") ? 1 : 0,
);

/** The caller's name of a file; MISSING where it is the kernel's, `name`, or not asked for. */
export function callerName(
  tables: Tables,
  thread: Thread,
  dirfd: number,
  raw: number,
  name: number,
): number {
  // An absolute path that needs no folding has the id that it was given by.
  if (!tables.bothPaths || raw === name) return MISSING;
  // The file's handle is all that the caller had.
  if (dirfd === MISSING) return MISSING;
  const said = tables.pathAt(thread, dirfd, raw, true);
  return said === name ? MISSING : said;
}

/** Notes what differs besides the event's own descriptor; for events with our own parameters. */
export function noteViews(tables: Tables, context: Context, thread: Thread): void {
  const { process, event } = context;
  if (othersDiffer(tables, event.code, thread)) context.differs |= Differs.Others;
  const { callerCwd, hostCwd } = process!;
  if (callerCwd !== MISSING) context.differs |= Differs.Directory;
  if (hostCwd !== MISSING) {
    // The event's own paths are looked at under that view as well.
    if (!tables.further.isAny) context.setFurtherPaths(MISSING, MISSING, MISSING);
    context.differs |= Differs.HostDirectory;
  }
  if (event.code === GENERIC_X && saidDiffers(tables, context, thread)) {
    context.differs |= Differs.Paths;
  }
  const params = PATH_PARAMS[event.code];
  if (params !== undefined && pathsDiffer(tables, context, thread, params)) {
    context.differs |= Differs.Paths;
  }
}

/** Whether a descriptor besides the event's own may have another name under the caller's view: one
 * of those that it lists, or one of the standard three. */
function othersDiffer(tables: Tables, code: number, thread: Thread): boolean {
  if (LISTS_FDS[code] === 1) return true;
  const fds = tables.fdsOf(thread);
  if (fds === undefined) return false;
  for (let number = 0; number < STANDARD; number++) {
    const fd = fds.get(number);
    if (fd !== undefined && fd.callerName !== MISSING) return true;
  }
  return false;
}

/** The same of a call without parameters, whose second path is what the caller said. */
function saidDiffers(tables: Tables, { event }: Context, thread: Thread): boolean {
  const first = tables.kernelPath(event, OWN_PATH);
  const said = tables.kernelPath(event, OWN_PATH2);
  return said !== MISSING && tables.pathAt(thread, AT_FDCWD, said, true) !==
      (first === MISSING ? tables.pathAt(thread, AT_FDCWD, said) : first);
}

/** Whether one of the paths that the kernel acted on is none of those that the caller said. */
function pathsDiffer(
  tables: Tables,
  context: Context,
  thread: Thread,
  params: readonly PathParam[],
): boolean {
  const { event } = context;
  const first = tables.kernelPath(event, OWN_PATH);
  const second = tables.kernelPath(event, OWN_PATH2);
  let firstSaid = first === MISSING;
  let secondSaid = second === MISSING;
  for (const { index, dirfd } of params) {
    const raw = tables.text(event, index);
    const number = dirfd >= 0 && event.has(dirfd) ? event.int32(dirfd) : AT_FDCWD;
    const said = tables.namedAt(thread, number, raw, true);
    if (first === MISSING && said !== tables.namedAt(thread, number, raw)) return true;
    if (said === first) firstSaid = true;
    if (said === second) secondSaid = true;
  }
  return !firstSaid || !secondSaid;
}
