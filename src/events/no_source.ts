// The source of `engine.kind: nodriver`: it sees nothing, and goes on doing so until it is told to
// end.
import type { EventSource, SourceStats } from "./source.ts";

export class NoSource implements EventSource {
  readonly name = "nodriver";
  readonly source = "syscall";
  readonly #never = new Int32Array(new SharedArrayBuffer(4));

  read(): number {
    return 0;
  }

  wait(timeoutMs: number): void {
    Atomics.wait(this.#never, 0, 0, timeoutMs);
  }

  stats(): SourceStats {
    return { events: 0, lost: [0, 0], truncated: 0, programs: 0 };
  }

  snapshot(): Uint8Array {
    return new Uint8Array();
  }

  setInterest(): void {}
  close(): void {}
}
