// The paths that the kernel acted on, as fields read them: those of our own parameters, in events
// of our own drivers.
import { OWN_PATH, OWN_PATH2 } from "../../events/event.ts";
import { EVENTS } from "../../events/table.ts";
import type { Context } from "../../state/contract/context.ts";
import { Differs, View } from "../../state/contract/views.ts";
import { MISSING } from "../../state/tables/strings.ts";

/** Id of one of the paths that the kernel acted on (OWN_PATH …); MISSING where there is none. */
export function kernelPath({ event, machine }: Context, own: number): number {
  if (!event.hasOwn || !machine.kernelPaths) return MISSING;
  const index = event.own(own);
  if (!event.has(index)) return MISSING;
  return machine.strings.intern(event.bytes, event.param(index), event.textEnd(index));
}

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

/** Id of the path that the kernel acted on where parameter `index` names it, under the kernel's
 * view of an event whose paths differ; else MISSING: the parameter says it. */
export function kernelPathOf(context: Context, index: number): number {
  if (context.view !== View.Kernel || (context.differs & Differs.Paths) === 0) return MISSING;
  const place = PATH_PARAMS[context.event.code]!.indexOf(index);
  if (place < 0 || place > 1) return MISSING;
  return kernelPath(context, place === 0 ? OWN_PATH : OWN_PATH2);
}
