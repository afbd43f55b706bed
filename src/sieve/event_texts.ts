// Which names an event has, and where: its parameters that hold paths, or the descriptor whose
// name the fields show. Worked out from the event table.
import { codeOf, EVENTS } from "../events/table.ts";
import { FD_PARAM, SHOWS_FD, TRAITS } from "../state/events/event_traits.ts";

export { FD_PARAM, SHOWS_FD, TRAITS };

/** Where a name is; as `Text` of probe-rs/src/sieve/guard.rs. */
export interface EventText {
  readonly kind: "path" | "descriptor";
  readonly param: number;
  /** Parameter with the directory's descriptor; undefined: the working directory. */
  readonly directory: number | undefined;
}

/** Names of an event that the sieve looks at, at the most. */
export const TEXTS_MAX = 2;

const OPENS: ReadonlySet<number> = new Set([
  codeOf("SYSCALL_OPEN_X"),
  codeOf("SYSCALL_OPENAT_2_X"),
  codeOf("SYSCALL_OPENAT2_X"),
  codeOf("SYSCALL_CREAT_X"),
]);

/** Calls that open a file by its path: the descriptor's name is the path's. */
export function isOpen(code: number): boolean {
  return OPENS.has(code);
}

const PATH_TYPES: ReadonlySet<string> = new Set(["CHARBUF", "FSPATH", "FSRELPATH"]);

/** All texts of an event among which paths can be, and the descriptor's; undefined: too many. */
export function textsOf(code: number): readonly EventText[] | undefined {
  return TEXTS[code];
}

const TEXTS: readonly (readonly EventText[] | undefined)[] = EVENTS.map((info) => {
  const texts: EventText[] = [];
  for (const [param, { type, dirfd }] of info.params.entries()) {
    if (PATH_TYPES.has(type)) texts.push({ kind: "path", param, directory: dirfd });
  }
  const param = FD_PARAM[info.code]!;
  if (param >= 0) texts.push({ kind: "descriptor", param, directory: undefined });
  return texts.length > TEXTS_MAX ? undefined : texts;
});
