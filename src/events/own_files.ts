// What the kernel said of the descriptors that a call made or took: our own parameter OWN_FILES,
// read in place. One record for each number that is not negative, the one that Falco's `fd.*` is
// about first (probe-rs/src/files.rs writes them):
//
//   i32 number, u8 kind, u8 marks, u16 bytes of what follows, u32 flags (PPM_O_*), u32 device,
//   u64 inode, then
//     of files whose path is no parameter of its own: the path with a NUL
//     of sockets: u16 protocol, u8 type, u8 state, then a SOCKTUPLE: of IP with the socket's own
//       end first, of unix with the end first whose name it has (of other families: one byte, the
//       family)
//
// No record: nothing is told, as of calls that only close. A record of kind KIND_NONE: there is no
// such descriptor. Records of KIND_HOST and KIND_NAMED stand behind those of descriptors: further
// names of the event's paths, with the place of the path as their number (0: OWN_PATH, 1:
// OWN_PATH2) (probe-rs/src/further.rs).
import { type Event, OWN_FILES, OWN_PATH } from "./event.ts";

const HEAD_BYTES = 24;
/** Protocol, type, state. */
const SOCKET_BYTES = 4;
export const KIND_NONE = 255;
/** The path as seen from the host's root, and the name that rules have for its file. */
export const KIND_HOST = 64;
export const KIND_NAMED = 65;
const PATH_MASK = 0x7f;
const PATH_OWN = 1;
const PATH_FOLLOWS = 3;
const MADE = 0x80;
/** TCP_LISTEN. */
const STATE_LISTEN = 10;

/** A cursor over the records of one event. */
export class OwnFiles {
  number = 0;
  /** FdKind of src/state, or KIND_NONE. */
  kind = 0;
  /** The path is the event's own first one. */
  isOwn = false;
  /** Whether the call made the descriptor, rather than took it. */
  made = false;
  flags = 0;
  dev = 0;
  ino: number | bigint = 0;
  /** The path, without its NUL: empty where there is none. */
  pathStart = 0;
  pathEnd = 0;
  /** Sockets: the kernel's protocol, whether it waits for connections, and the tuple. */
  protocol = 0;
  /** SOCK_*. */
  type = 0;
  listens = false;
  tupleStart = 0;
  tupleLength = 0;
  #event: Event | undefined;
  #at = 0;
  #limit = 0;

  /** Begins before the event's first record; whether there is one. */
  begin(event: Event): boolean {
    if (!event.hasOwn) return false;
    const index = event.own(OWN_FILES);
    const length = event.paramLength(index);
    if (length < HEAD_BYTES) return false;
    this.#event = event;
    this.#at = event.param(index);
    this.#limit = this.#at + length;
    return true;
  }

  /** Whether the record is of a descriptor. */
  get isDescriptor(): boolean {
    return this.kind !== KIND_HOST && this.kind !== KIND_NAMED;
  }

  /** Goes to the next record; false behind the last. */
  next(): boolean {
    const event = this.#event!;
    const at = this.#at;
    if (at + HEAD_BYTES > this.#limit) return false;
    const { view, bytes } = event;
    const end = at + HEAD_BYTES + view.getUint16(at + 6, true);
    if (end > this.#limit) return false;
    this.#at = end;
    this.number = view.getInt32(at, true);
    this.kind = bytes[at + 4]!;
    const marks = bytes[at + 5]!;
    this.made = (marks & MADE) !== 0;
    this.flags = view.getUint32(at + 8, true);
    this.dev = view.getUint32(at + 12, true);
    const high = view.getUint32(at + 20, true);
    this.ino = high >= 0x20_0000
      ? view.getBigUint64(at + 16, true)
      : high * 0x1_0000_0000 + view.getUint32(at + 16, true);
    this.pathStart = this.pathEnd = 0;
    this.tupleStart =
      this.tupleLength =
      this.protocol =
      this.type =
        0;
    this.listens = false;
    const follows = at + HEAD_BYTES;
    const place = marks & PATH_MASK;
    this.isOwn = place === PATH_OWN;
    if (place === PATH_OWN) {
      const index = event.own(OWN_PATH);
      if (event.has(index)) {
        this.pathStart = event.param(index);
        this.pathEnd = event.textEnd(index);
      }
    } else if (place === PATH_FOLLOWS) {
      this.pathStart = follows;
      this.pathEnd = end > follows && bytes[end - 1] === 0 ? end - 1 : end;
    } else if (end > follows + SOCKET_BYTES) {
      this.protocol = view.getUint16(follows, true);
      this.type = bytes[follows + 2]!;
      this.listens = bytes[follows + 3] === STATE_LISTEN;
      this.tupleStart = follows + SOCKET_BYTES;
      this.tupleLength = end - this.tupleStart;
    }
    return true;
  }
}
