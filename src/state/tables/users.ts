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

export class Users {
  /** Entries that the bound refused. */
  refused = 0;
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
    this.#users.get(containerId)?.delete(uid);
  }

  removeGroup(containerId: string, gid: number): void {
    this.#groups.get(containerId)?.delete(gid);
  }

  removeContainer(containerId: string): void {
    this.#users.delete(containerId);
    this.#groups.delete(containerId);
  }

  clear(): void {
    this.#users.clear();
    this.#groups.clear();
  }

  *users(): Generator<[containerId: string, User]> {
    for (const [id, users] of this.#users) for (const user of users.values()) yield [id, user];
  }

  *groups(): Generator<[containerId: string, Group]> {
    for (const [id, groups] of this.#groups) for (const group of groups.values()) yield [id, group];
  }

  #add<T>(tables: Map<string, Map<number, T>>, containerId: string, id: number, entry: T): void {
    let table = tables.get(containerId);
    if (table === undefined) {
      if (tables.size >= ENTRIES_MAX) {
        this.refused++;
        return;
      }
      tables.set(containerId, table = new Map());
    }
    if (table.size >= ENTRIES_MAX && !table.has(id)) {
      this.refused++;
      return;
    }
    table.set(id, entry);
  }
}
