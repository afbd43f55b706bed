// Browsers that have signed in: a token that was shown, or a link that `saker page` printed, comes
// in once, a random name goes out that a cookie carries from then on. The token itself is kept by
// no browser. A session is worth what it was opened with: with another token, or none, it is over.

export interface Session {
  /** What forms that act must carry besides the cookie: a page of others does not know it. */
  readonly csrf: string;
}

export interface SessionStats {
  readonly open: number;
  /** So far: opened, and ended since others came or nobody used them. */
  readonly opened: number;
  readonly displaced: number;
  readonly expired: number;
}

export const SESSIONS_MAX = 32;
/** A browser that asks for nothing for so long has to sign in again. */
export const SESSION_IDLE_MS = 12 * 3_600_000;
/** Links that were printed and not opened yet. */
const LINKS_MAX = 8;
export const LINK_MS = 2 * 60_000;

interface Kept extends Session {
  /** The token, or undefined where there was none when it was opened. */
  readonly token: string | undefined;
  usedMs: number;
}

export class Sessions {
  readonly #now: () => number;
  readonly #random: () => string;
  /** Those used last stand last. */
  readonly #sessions = new Map<string, Kept>();
  /** When each link is over. */
  readonly #links = new Map<string, number>();
  #opened = 0;
  #displaced = 0;
  #expired = 0;

  constructor(now: () => number = Date.now, random: () => string = randomName) {
    this.#now = now;
    this.#random = random;
  }

  /** Opens a session for whoever may have one; returns its name. */
  open(token: string | undefined): string {
    this.#expire();
    if (this.#sessions.size >= SESSIONS_MAX) {
      this.#sessions.delete(this.#sessions.keys().next().value!);
      this.#displaced++;
    }
    const name = this.#random();
    this.#sessions.set(name, { csrf: this.#random(), token, usedMs: this.#now() });
    this.#opened++;
    return name;
  }

  /** The session of that name, where it was opened with what counts now. */
  find(name: string | undefined, token: string | undefined): Session | undefined {
    const session = name === undefined ? undefined : this.#sessions.get(name);
    if (session === undefined || name === undefined) return undefined;
    const isOver = this.#now() - session.usedMs > SESSION_IDLE_MS;
    if (isOver) this.#expired++;
    if (isOver || session.token !== token) {
      this.#sessions.delete(name);
      return undefined;
    }
    session.usedMs = this.#now();
    this.#sessions.delete(name);
    this.#sessions.set(name, session);
    return session;
  }

  end(name: string): void {
    this.#sessions.delete(name);
  }

  /** A code that opens one session within LINK_MS. */
  makeLink(): string {
    if (this.#links.size >= LINKS_MAX) this.#links.delete(this.#links.keys().next().value!);
    const code = this.#random();
    this.#links.set(code, this.#now() + LINK_MS);
    return code;
  }

  /** Whether the code opens a session; it never does again. */
  takeLink(code: string): boolean {
    const untilMs = this.#links.get(code);
    this.#links.delete(code);
    return untilMs !== undefined && this.#now() <= untilMs;
  }

  stats(): SessionStats {
    return {
      open: this.#sessions.size,
      opened: this.#opened,
      displaced: this.#displaced,
      expired: this.#expired,
    };
  }

  #expire(): void {
    for (const [name, { usedMs }] of this.#sessions) {
      if (this.#now() - usedMs <= SESSION_IDLE_MS) return;
      this.#sessions.delete(name);
      this.#expired++;
    }
  }
}

/** 256 bits that nobody guesses. A map finds it in a time that tells nothing of use. */
function randomName(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
}
