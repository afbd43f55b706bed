// The thread that reads the events around an alert from the capture that it started: what is asked
// comes in, rows go out. It lives for one answer.
import { closeSync, constants, fstatSync, openSync, type Stats } from "node:fs";
import { basename } from "node:path";
import { eventsAround } from "../../engine/captures/around.ts";
import type { Around, AroundAsked } from "../../engine/contract/around.ts";
import { catchStrays } from "../../engine/contract/strays.ts";
import { codeOf, reasonOf } from "../../files/reason.ts";
import type { MachineOptions } from "../../state/contract/machine_host.ts";

export interface AroundStart {
  readonly asked: AroundAsked;
  readonly machine: MachineOptions;
  readonly base64: boolean;
}

interface WorkerScope {
  onmessage: ((event: MessageEvent<AroundStart>) => void) | null;
  postMessage(message: Around): void;
}

const scope = self as unknown as WorkerScope;

catchStrays(() => {});

scope.onmessage = ({ data }) => {
  try {
    scope.postMessage(answer(data));
  } catch (error) {
    scope.postMessage({ error: reasonOf(error) });
  }
};

function answer({ asked, machine, base64 }: AroundStart): Around {
  const opened = openOwn(asked.file);
  try {
    const found = fstatSync(opened);
    if (!found.isFile() || found.uid !== Deno.uid()) return { error: NOT_OURS };
    if (found.size === 0) return { error: "nothing has been written to it yet" };
    // Whatever gets the file's name from here on, what was looked at is what is read.
    return eventsAround({ ...asked, file: pathOf(asked.file, found) }, {
      machine,
      bufferFormat: base64 ? "base64" : "dots",
    });
  } finally {
    closeSync(opened);
  }
}

/** Where this process has the opened file: the runtime's number for it is another. */
function pathOf(file: string, { dev, ino }: Stats): string {
  for (const { name } of Deno.readDirSync(DESCRIPTORS)) {
    const path = `${DESCRIPTORS}/${name}`;
    try {
      // The name is looked at first: a stat could wait for a mount that hangs.
      if (!Deno.readLinkSync(path).includes(basename(file))) continue;
      const found = Deno.statSync(path);
      if (found.dev === dev && found.ino === ino) return path;
    } catch {
      // It was closed meanwhile.
    }
  }
  throw new Error("it was not found among the open files");
}

const DESCRIPTORS = "/proc/self/fd";
const NOT_OURS = "what has its name by now is no file that saker wrote";

/** Nothing is waited for, and no link is followed: saker writes none. */
function openOwn(file: string): number {
  const { O_RDONLY, O_NONBLOCK, O_NOCTTY, O_NOFOLLOW } = constants;
  try {
    return openSync(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
  } catch (error) {
    switch (codeOf(error)) {
      case "ENOENT":
        throw new Error("it is not there any more, or not yet");
      case "EACCES":
      case "EPERM":
        throw new Error("saker may not read it with the rights that it has now");
      case "ELOOP":
        throw new Error(NOT_OURS);
      default:
        throw error;
    }
  }
}
