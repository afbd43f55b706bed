// Where a path lies, judged by its text alone: who can put a file there. What the text cannot tell
// (a directory that somebody made writable) a look at the host can; the caller brings one along.

export type Place =
  /** Filled by the package manager as root. */
  | "system"
  /** Filled by the administrator, as a rule as root. */
  | "local"
  /** A user's or a service's own: that user can replace what is there. */
  | "own"
  /** Everybody may put files there. */
  | "anyone"
  /** No file at all: memory, or what is gone. */
  | "memory"
  | "unknown";

/** What a look at the host says of a file: undefined where it cannot say. */
export type Look = (
  path: string,
) => { readonly rootOnly: boolean; readonly why: string } | undefined;

const ANYONE = [
  "/tmp",
  "/var/tmp",
  "/dev/shm",
  "/dev/mqueue",
  "/run/lock",
  "/run/user",
  "/run/screen",
  "/var/lock",
  "/var/crash",
  "/var/spool/samba",
  "/var/lib/php/sessions",
  "/var/metrics",
  "/proc",
  "/private/tmp",
];
const SYSTEM = [
  "/bin",
  "/sbin",
  "/lib",
  "/lib32",
  "/lib64",
  "/libx32",
  "/usr/bin",
  "/usr/sbin",
  "/usr/lib",
  "/usr/lib32",
  "/usr/lib64",
  "/usr/libexec",
  "/usr/share",
  "/usr/games",
  "/nix/store",
  "/snap",
  "/boot",
];
const LOCAL = ["/usr/local", "/opt", "/etc", "/root"];
const OWN = ["/home", "/srv", "/var", "/mnt", "/media", "/data", "/app", "/workspace"];

export function placeOf(path: string): Place {
  if (!path.startsWith("/") || /^\/?memfd:/.test(path) || path.endsWith(" (deleted)")) {
    return "memory";
  }
  // A path that was not folded leads where its text does not say.
  if (/\/\.{1,2}(\/|$)/.test(path)) return "unknown";
  const below = (places: readonly string[]) => places.some((place) => isBelow(path, place));
  if (below(ANYONE) || /\/tmp\//.test(path)) return "anyone";
  if (below(SYSTEM)) return "system";
  if (below(LOCAL)) return "local";
  return below(OWN) ? "own" : "unknown";
}

/** The path itself, or something in it. */
export function isBelow(path: string, directory: string): boolean {
  return path === directory ||
    path.startsWith(directory.endsWith("/") ? directory : `${directory}/`);
}

/** Below it, or above it, is a place that everybody may write. */
export function coversAnyone(directory: string): boolean {
  return ANYONE.some((place) => isBelow(place, directory)) ||
    placeOf(`${directory}/x`) === "anyone" ||
    isBelow("/home/x", directory);
}

/** Directories whose files decide who may do what: none of them is excused as a whole. */
const GUARDED = [
  "/etc/cron.d",
  "/etc/cron.daily",
  "/etc/cron.hourly",
  "/etc/cron.monthly",
  "/etc/cron.weekly",
  "/etc/init.d",
  "/etc/ld.so.conf.d",
  "/etc/pam.d",
  "/etc/profile.d",
  "/etc/security",
  "/etc/ssh",
  "/etc/sudoers.d",
  "/etc/systemd",
  "/etc/udev",
  "/root/.ssh",
  "/usr/local/bin",
  "/usr/local/sbin",
  "/var/log",
  "/var/log/audit",
  "/var/spool/cron",
];

/** Whether everything below a directory may be named at once: deep enough, nobody's playground, and
 * none of those that a whole set of rules watches. */
export function mayBePrefix(directory: string): boolean {
  const depth = directory.split("/").filter((part) => part !== "").length;
  if (depth < 2 || /[?*[\]\\\s"'(),]/.test(directory) || coversAnyone(directory)) return false;
  if (placeOf(`${directory}/x`) === "memory" || GUARDED.some((one) => isBelow(one, directory))) {
    return false;
  }
  if (GUARDED.some((one) => one !== "/var/log" && isBelow(directory, one))) return false;
  if (depth > 2) return true;
  const place = placeOf(`${directory}/x`);
  return place === "local" && !directory.startsWith("/usr/");
}
