// The paths that the kernel acted on, as fields read them: those of our own parameters, in events
// of our own drivers.
import { OWN_PATH, OWN_PATH2 } from "../../events/event.ts";
import { codeOf, EVENTS } from "../../events/table.ts";
import type { Context } from "../../state/contract/context.ts";
import { Differs, isCaller, View } from "../../state/contract/views.ts";
import { MISSING } from "../../state/tables/strings.ts";

/** Id of one of the paths that the kernel acted on (OWN_PATH …); MISSING where there is none. */
export function kernelPath({ event, machine }: Context, own: number): number {
  if (!event.hasOwn || !machine.kernelPaths) return MISSING;
  const index = event.own(own);
  if (!event.has(index)) return MISSING;
  return machine.strings.intern(event.bytes, event.param(index), event.textEnd(index));
}

/** The same as the present view has it, the caller's left out: what the kernel acted on, as the
 * host sees it, or the name that rules have for the file. */
export function actedOn(context: Context, own: number): number {
  const isFirst = own === OWN_PATH;
  switch (context.view) {
    case View.Kernel:
      return kernelPath(context, own);
    case View.Host: {
      const path = isFirst ? context.hostPath : context.hostPath2;
      return path === MISSING ? kernelPath(context, own) : path;
    }
    case View.Inode:
      return isFirst && context.inodePath !== MISSING
        ? context.inodePath
        : kernelPath(context, own);
    default:
      return MISSING;
  }
}

const OF_PATHS = Differs.Paths | Differs.Host | Differs.Inode;

/** By event code: the parameters that are paths, in the order of the kernel's. An execution's own
 * stand beside each other already. */
const PATH_PARAMS: readonly (readonly number[])[] = EVENTS.map(({ id, name, params }) =>
  id.startsWith("SYSCALL_EXEC")
    ? []
    : params.flatMap((param, index) =>
      param.type === "FSPATH" || param.type === "FSRELPATH" ||
        (name === "mount" && param.name === "dev")
        ? [index]
        : []
    )
);

/** Id of the path that the kernel acted on where parameter `index` names it, under another view
 * than the caller's of an event whose paths differ; else MISSING: the parameter says it. */
export function kernelPathOf(context: Context, index: number): number {
  if (isCaller(context.view) || (context.differs & OF_PATHS) === 0) return MISSING;
  const place = PATH_PARAMS[context.event.code]!.indexOf(index);
  if (place < 0 || place > 1) return MISSING;
  return actedOn(context, place === 0 ? OWN_PATH : OWN_PATH2);
}

const EXECUTIONS: ReadonlySet<number> = new Set(
  ["SYSCALL_EXECVE_19_X", "SYSCALL_EXECVEAT_X"].map(codeOf),
);

/** The executed file of an execution as the present view has it; MISSING where that is the
 * kernel's. */
export function programUnderView(context: Context): number {
  const { view } = context;
  // Of the thread alone then: its classes are kept by it.
  if (view === View.Kernel) return MISSING;
  const { differs, event } = context;
  if (!EXECUTIONS.has(event.code)) return MISSING;
  if (view === View.CallerProgram && (differs & Differs.Program) !== 0) {
    return context.callerProgram;
  }
  if (view === View.Host && (differs & Differs.Host) !== 0) return context.hostPath;
  return view === View.Inode && (differs & Differs.Inode) !== 0 ? context.inodePath : MISSING;
}
