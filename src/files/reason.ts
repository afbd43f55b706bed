// Why a file cannot be had, in words for the person who named it: the system's error comes in, a
// few words that fit behind "Cannot read NAME: " go out. The runtime's own words never get through.

/** What a path must not be, where a regular file is meant. */
export class NotRegular extends Error {
  override readonly name = "NotRegular";
}

const BY_CODE: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or directory",
  ENOTDIR: "a part of its path is no directory",
  EACCES: "no permission",
  EPERM: "no permission",
  EISDIR: "it is a directory",
  EEXIST: "there is a file of that name",
  ENXIO: "nobody reads this FIFO, or it is a socket or no device",
  ENODEV: "it is no device",
  ELOOP: "its symbolic links go in circles",
  ENAMETOOLONG: "its name is too long",
  EMFILE: "too many files are open (ulimit -n)",
  ENFILE: "too many files are open on this host",
  ENOSPC: "no space is left on the device",
  EDQUOT: "the disk quota is used up",
  EFBIG: "it may not become larger (ulimit -f)",
  EROFS: "the file system is read-only",
  ETXTBSY: "it is a program that runs",
  EIO: "the device fails",
  ESTALE: "the file server does not know it any more",
  ENOTCONN: "the file server does not answer",
  ETIMEDOUT: "the file server does not answer",
  EPIPE: "its reader has gone",
  EINVAL: "its file system refuses it",
  EAGAIN: "its reader does not read",
  EBUSY: "it is in use",
};

export function reasonOf(error: unknown): string {
  if (error instanceof NotRegular) return error.message;
  const code = codeOf(error);
  const known = code === undefined ? undefined : BY_CODE[code];
  if (known !== undefined) return known;
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n", 1)[0]!.replace(/ ?\(os error \d+\).*$/, "");
}

const CLASSES: readonly (readonly [new (message: string) => Error, string])[] = [
  [Deno.errors.NotFound, "ENOENT"],
  [Deno.errors.NotADirectory, "ENOTDIR"],
  [Deno.errors.PermissionDenied, "EACCES"],
  [Deno.errors.NotCapable, "EACCES"],
  [Deno.errors.IsADirectory, "EISDIR"],
  [Deno.errors.AlreadyExists, "EEXIST"],
  [Deno.errors.FilesystemLoop, "ELOOP"],
  [Deno.errors.BrokenPipe, "EPIPE"],
  [Deno.errors.WouldBlock, "EAGAIN"],
];

const NUMBERS: Readonly<Record<number, string>> = {
  1: "EPERM",
  5: "EIO",
  6: "ENXIO",
  16: "EBUSY",
  19: "ENODEV",
  22: "EINVAL",
  23: "ENFILE",
  24: "EMFILE",
  26: "ETXTBSY",
  27: "EFBIG",
  28: "ENOSPC",
  30: "EROFS",
  36: "ENAMETOOLONG",
  107: "ENOTCONN",
  110: "ETIMEDOUT",
  116: "ESTALE",
  122: "EDQUOT",
};

/** The name of the system's error, as errno(3) has it. */
export function codeOf(error: unknown): string | undefined {
  const { code } = error as { code?: unknown };
  if (typeof code === "string") return code;
  const known = CLASSES.find(([kind]) => error instanceof kind);
  if (known !== undefined) return known[1];
  const number = /\(os error (\d+)\)/.exec(String((error as Error | undefined)?.message));
  return number === null ? undefined : NUMBERS[Number(number[1])];
}
