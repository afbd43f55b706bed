// Why a capture could not be read on.

export class CaptureError extends Error {
  readonly path: string;
  /** Offset in the uncompressed capture; undefined where nothing was read. */
  readonly offset: number | undefined;
  readonly reason: string;

  constructor(path: string, offset: number | undefined, reason: string) {
    const where = offset === undefined ? "" : ` at byte ${offset}`;
    super(`Cannot read capture "${path}"${where}: ${reason}`);
    this.path = path;
    this.offset = offset;
    this.reason = reason;
  }
}
