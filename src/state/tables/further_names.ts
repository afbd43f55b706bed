// Further names of the present event's files, besides the kernel's and the caller's: records of an
// event of our own drivers (events/own_files.ts) in, ids of strings out.
import type { Event } from "../../events/event.ts";
import { KIND_HOST, type OwnFiles } from "../../events/own_files.ts";
import { MISSING, type Strings } from "./strings.ts";

export class FurtherNames {
  /** Whether the event has any: nearly none has. The rest is right only then. */
  isAny = false;
  /** The event's two paths as the host sees them. */
  host = MISSING;
  host2 = MISSING;
  /** The name that rules have for the file of the first. */
  inode = MISSING;
  /** The descriptor whose path is the event's first; -1: none. */
  number = -1;

  /** Takes the record that the cursor stands at. */
  take(strings: Strings, files: OwnFiles, { view, bytes }: Event): void {
    if (!this.isAny) {
      this.isAny = true;
      this.host = this.host2 = this.inode = MISSING;
    }
    if (files.pathEnd <= files.pathStart) return;
    const name = strings.internView(view, bytes, files.pathStart, files.pathEnd);
    if (files.kind !== KIND_HOST) this.inode = name;
    else if (files.number === 0) this.host = name;
    else this.host2 = name;
  }
}
