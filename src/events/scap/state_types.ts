// Types of the blocks of a capture that are no events: what each holds, and in which version. The
// numbers that begin with 0x80 are those of the years before the ranges were given out.

/** Every section of a capture begins with it. */
export const SECTION = 0x0a0d0d0a;

/** By type, the version of what it holds, oldest first. */
type Versions = ReadonlyMap<number, number>;

export const MACHINE_INFO: Versions = new Map([[0x201, 1], [0x8002abcd, 1]]);
export const INTERFACE_LISTS: Versions = new Map([[0x205, 1], [0x8011abcd, 1], [0x219, 2]]);
export const USER_LISTS: Versions = new Map([[0x206, 1], [0x8012abcd, 1], [0x220, 2]]);
export const FD_LISTS: Versions = new Map([[0x203, 1], [0x8001abcd, 1], [0x218, 2]]);
export const PROCESS_LISTS: Versions = new Map([
  [0x202, 1],
  [0x8000abcd, 1],
  [0x207, 2],
  [0x8013abcd, 2],
  [0x209, 3],
  [0x8014abcd, 3],
  [0x210, 4],
  [0x211, 5],
  [0x212, 6],
  [0x213, 7],
  [0x214, 8],
  [0x215, 9],
]);

/** All of them but the sections. */
export const STATE_TYPES: ReadonlySet<number> = new Set(
  [MACHINE_INFO, INTERFACE_LISTS, USER_LISTS, FD_LISTS, PROCESS_LISTS].flatMap((versions) => [
    ...versions.keys(),
  ]),
);

/** The type of the newest version: what saker writes. */
export function newest(versions: Versions): number {
  const last = Math.max(...versions.values());
  return [...versions].find(([, version]) => version === last)![0];
}
