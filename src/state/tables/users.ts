// Users and groups of the host ("") and of containers, by id. What a capture or the addon tells
// comes in; names go out to the fields.

export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  readonly homedir: string;
  readonly shell: string;
}

export interface Group {
  readonly gid: number;
  readonly name: string;
}

/** Per container; more are refused: a capture may claim any number. */
const ENTRIES_MAX = 65_536;
/** Of all users and groups together, what is kept besides an entry's texts included. */
const WEIGHT_MAX = 12 << 20;
const ENTRY_OVERHEAD = 100;

export class Users {
  /** Entries that the bound refused. */
  refused = 0;
  /** Bytes that all entries take, about. */
  #weight = 0;
  readonly #users = new Map<string, Map<number, User>>();
  readonly #groups = new Map<string, Map<number, Group>>();

  user(containerId: string, uid: number): User | undefined {
    return this.#users.get(containerId)?.get(uid);
  }

  group(containerId: string, gid: number): Group | undefined {
    return this.#groups.get(containerId)?.get(gid);
  }

  /** Names that begin with a sign are directives of the name service, not users. */
  addUser(containerId: string, user: User): void {
    if (user.name.startsWith("+") || user.name.startsWith("-")) return;
    this.#add(this.#users, containerId, user.uid, user);
  }

  addGroup(containerId: string, group: Group): void {
    if (group.name.startsWith("+") || group.name.startsWith("-")) return;
    this.#add(this.#groups, containerId, group.gid, group);
  }

  removeUser(containerId: string, uid: number): void {
    this.#remove(this.#users.get(containerId), uid);
  }

  removeGroup(containerId: string, gid: number): void {
    this.#remove(this.#groups.get(containerId), gid);
  }

  removeContainer(containerId: string): void {
    for (const tables of [this.#users, this.#groups]) {
      for (const entry of tables.get(containerId)?.values() ?? []) this.#weight -= weightOf(entry);
      tables.delete(containerId);
    }
  }

  clear(): void {
    this.#users.clear();
    this.#groups.clear();
    this.#weight = 0;
  }

  /** Users and groups together. */
  get size(): number {
    let size = 0;
    for (const tables of [this.#users, this.#groups]) {
      for (const table of tables.values()) size += table.size;
    }
    return size;
  }

  *users(): Generator<[containerId: string, User]> {
    for (const [id, users] of this.#users) for (const user of users.values()) yield [id, user];
  }

  *groups(): Generator<[containerId: string, Group]> {
    for (const [id, groups] of this.#groups) for (const group of groups.values()) yield [id, group];
  }

  #add<T extends User | Group>(
    tables: Map<string, Map<number, T>>,
    containerId: string,
    id: number,
    entry: T,
  ): void {
    const table = tables.get(containerId);
    const known = table?.get(id);
    const weight = this.#weight + weightOf(entry) - (known === undefined ? 0 : weightOf(known));
    const isFull = table === undefined
      ? tables.size >= ENTRIES_MAX
      : known === undefined && table.size >= ENTRIES_MAX;
    if (isFull || weight > WEIGHT_MAX) {
      this.refused++;
      return;
    }
    this.#weight = weight;
    if (table === undefined) tables.set(containerId, new Map([[id, entry]]));
    else table.set(id, entry);
  }

  #remove<T extends User | Group>(table: Map<number, T> | undefined, id: number): void {
    const entry = table?.get(id);
    if (entry === undefined) return;
    this.#weight -= weightOf(entry);
    table!.delete(id);
  }
}

/** Bytes of an entry, about. */
function weightOf(entry: User | Group): number {
  const others = "homedir" in entry ? entry.homedir.length + entry.shell.length : 0;
  return ENTRY_OVERHEAD + entry.name.length + others;
}
