// What the tracer of processes is told; see `Driver.trace` of index.d.ts.

/** What is to be traced with ptrace(2), by the rights of this process alone. */
export interface TraceTarget {
  /** The command's words as they are; its streams, directory and environment are this process's. */
  command?: Uint8Array[];
  /** Or a process that runs, with all its threads and what it has started. */
  pid?: number;
  /** Calls that nobody wants do not stop (a seccomp filter); the command ends with its tracer. */
  fast?: boolean;
}
