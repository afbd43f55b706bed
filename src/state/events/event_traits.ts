// What the tables have to know of each kind of event before they look at one.
import { EVENTS } from "../../events/table.ts";

/** Bits of TRAITS. */
export const NO_THREAD = 1;
/** Its thread is not looked up, or made up, when it is not known. */
export const NO_LOOKUP = 2;
/** It has `fd.*` fields. */
export const SHOWS_FD = 4;

/** By event code. */
export const TRAITS: Uint8Array = Uint8Array.from(EVENTS, (event) => {
  let traits = 0;
  const meta = /^(CONTAINER|USER_|GROUP_|PLUGINEVENT|ASYNCEVENT)/.test(event.id);
  if (event.flags.has("skip_parse_reset") || meta) traits |= NO_THREAD;
  if (/^(SYSCALL_(CLONE|CLONE3|FORK|VFORK)(_\d+)?_X|PROCEXIT|SCHEDSWITCH)/.test(event.id)) {
    traits |= NO_LOOKUP;
  }
  const flags = event.flags;
  if (flags.has("creates_fd") || flags.has("uses_fd") || flags.has("destroys_fd")) {
    traits |= SHOWS_FD;
  }
  return traits;
});

/** By event code: 1 where it belongs to a capture's state when it stands at its beginning. */
export const OPENING: Uint8Array = Uint8Array.from(
  EVENTS,
  (event) => /^(CONTAINER_JSON_2|USER_|GROUP_|ASYNCEVENT)/.test(event.id) ? 1 : 0,
);

/** Parameter that holds the descriptor that the event uses, by event code; -1: none. */
export const FD_PARAM: Int8Array = Int8Array.from(EVENTS, (event) => {
  if (!event.flags.has("uses_fd")) return -1;
  if (event.code % 2 === 0) return entryParam(event.name);
  if (event.name === "splice") return 2;
  return event.params.findIndex((param, index) => index > 0 && param.type === "FD");
});

/** Entry events have it first, but for two. */
function entryParam(name: string): number {
  if (name === "mmap" || name === "mmap2") return 4;
  return name === "splice" ? 1 : 0;
}
