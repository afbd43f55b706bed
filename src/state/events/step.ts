// The steps that every event takes: what the last event left to remove, the event's thread, its
// descriptor, then the handler of its kind.
import { codeOf } from "../../events/table.ts";
import { type Context, MISSING_FD } from "../contract/context.ts";
import { View } from "../contract/views.ts";
import type { Fd } from "../tables/fd.ts";
import { timeNs } from "../tables/results.ts";
import { EMPTY, MISSING } from "../tables/strings.ts";
import type { Tables } from "../tables/tables.ts";
import { FD_PARAM, NO_LOOKUP, NO_THREAD, SHOWS_FD, TRAITS } from "./event_traits.ts";
import { nameFromEvent } from "./fd_names.ts";
import { after, before, nameFurther, noteFurther } from "./fd_truth.ts";
import { HANDLER_OF } from "./handlers.ts";
import { noteViews } from "./path_events.ts";

const GENERIC_X = codeOf("GENERIC_X");

/** Applies the context's event to the tables, and says in the context what it was about. */
export function step(tables: Tables, context: Context): void {
  const event = context.event;
  const code = event.code;
  if (tables.pendingExit !== 0) tables.finishExit(timeNs(event));
  if (tables.pendingClose >= 0) tables.finishClose();
  tables.keepUp(event);
  tables.eventContainer = undefined;

  const traits = TRAITS[code]!;
  context.fd = undefined;
  context.fdNameChanged = false;
  context.differs = 0;
  context.view = View.Kernel;
  tables.further.isAny = false;
  if (traits & (NO_THREAD | NO_LOOKUP)) {
    context.thread = traits & NO_THREAD ? undefined : tables.find(event.tid);
  } else {
    context.thread = tables.get(event.tid);
  }
  let fd: Fd | undefined = undefined;
  let number = -1;
  let nameBefore = EMPTY;
  const thread = context.thread;
  const isTold = thread !== undefined && before(tables, event, thread);
  if (thread !== undefined) {
    const param = FD_PARAM[code]!;
    if (param >= 0) {
      const at = event.offsets(param + 1);
      if (at[param + 1]! - at[param]! >= 4) {
        number = event.view.getInt32(at[param]!, true);
        const fds = tables.fdsOf(thread);
        if (fds !== undefined) fd = fds.get(number);
        if (fd === undefined) tables.counts.fdLookupsFailed++;
        else nameBefore = fd.name;
      }
    }
  }
  context.fd = fd;
  context.fdNumber = number;
  const handler = HANDLER_OF[code];
  if (handler !== undefined) handler(tables, context);
  if (isTold) after(tables, context);
  if (tables.further.isAny) noteFurther(tables, context);

  // Which descriptor a call without an event of its own is about, only the driver says.
  const tellsFd = isTold && code === GENERIC_X;
  if (tellsFd && thread !== undefined) {
    const { files } = tables;
    files.begin(event);
    files.next();
    context.fdNumber = files.number;
    context.fd = fd = tables.fdsOf(thread)?.get(files.number);
    if (fd !== undefined) nameBefore = fd.name;
  }

  const acting = context.thread;
  context.process = acting === undefined ? undefined : acting.group?.main ?? acting;
  if (event.hasOwn && tables.bothPaths && acting !== undefined) noteViews(tables, context, acting);
  if (!(traits & SHOWS_FD || tellsFd) || acting === undefined) {
    context.fdNumber = MISSING_FD;
    context.fdName = context.fdNameRaw = MISSING;
    return;
  }
  const now = context.fd;
  if (now === undefined) {
    nameFromEvent(tables, context, acting);
    return;
  }
  context.setFdName(now.name, tables.bothPaths ? now.callerName : MISSING);
  if (tables.further.isAny || now.hostName !== MISSING || now.inodeName !== MISSING) {
    nameFurther(tables, context, now);
  }
  context.fdNameRaw = now.nameRaw;
  context.fdNameChanged = now.name !== (fd === undefined ? EMPTY : nameBefore);
}
