// Who may ask for what. Health and versions are answered to everybody who reaches the server, as
// probes of Kubernetes need; all else tells of this host, or acts, and is for those who show the
// token, or, where there is none, for this host's own processes. To act, as a reload does, those
// must be root's or the user's that saker runs as: others could keep it busy. So must those that
// read alerts, which hold command lines and names of files of other users, unless anyone may.
// A browser shows the session that it was given for one of these instead (sessions.ts), which lets
// it read; what it may do besides is the page's to say, which asks for more than a cookie.
import { isLoopback } from "./hosts.ts";
import type { Session, Sessions } from "./sessions.ts";

export interface RightsOptions {
  /** What `Authorization: Bearer` must carry; undefined: there is no token. */
  readonly token: string | undefined;
  /** `webserver.insecure`: without a token, others may ask for everything too. */
  readonly insecure: boolean;
  /** The users that may act without a token, and read the alerts. */
  readonly mayAct: readonly number[];
  /** All users of this host may read the alerts. */
  readonly mayAllFollow?: boolean;
  /** Browsers that have signed in. */
  readonly sessions?: Sessions;
}

export interface Asker {
  readonly authorization: string | undefined;
  /** The session that a browser's cookie names. */
  readonly session?: string | undefined;
  /** The client's own address. */
  readonly remoteAddress: string;
  /** Whose socket the client's is; undefined: cannot be told. */
  readonly owner: () => number | undefined;
}

export class Rights {
  readonly #token: Uint8Array | undefined;
  readonly #insecure: boolean;
  readonly #mayAct: readonly number[];
  readonly #mayAllFollow: boolean;
  readonly #sessions: Sessions | undefined;
  readonly #tokenText: string | undefined;

  constructor({ token, insecure, mayAct, mayAllFollow = false, sessions }: RightsOptions) {
    this.#mayAct = mayAct;
    this.#mayAllFollow = mayAllFollow;
    this.#sessions = sessions;
    this.#tokenText = token;
    this.#token = token === undefined ? undefined : encoder.encode(token);
    this.#insecure = insecure;
  }

  /** As `refusal`, for the alerts themselves. */
  refusalToFollow(asker: Asker): string | undefined {
    if (this.#mayAllFollow) return this.refusal(asker);
    if (this.session(asker) !== undefined) return this.#hostRefusal(asker);
    return this.refusalToAct(asker);
  }

  /** As `refusal`, for what changes something; a cookie is no right to that. */
  refusalToAct(asker: Asker): string | undefined {
    const refusal = this.#tokenRefusal(asker) ?? this.#hostRefusal(asker);
    if (refusal !== undefined || this.#token !== undefined || this.#insecure) return refusal;
    const owner = asker.owner();
    if (owner !== undefined && this.#mayAct.includes(owner)) return undefined;
    return "without a token this is for root, and for the user that saker runs as";
  }

  /** Why this client is not answered; undefined where it is. */
  refusal(asker: Asker): string | undefined {
    const refusal = this.#tokenRefusal(asker);
    if (refusal === undefined || this.session(asker) !== undefined) return this.#hostRefusal(asker);
    return refusal;
  }

  /** The session that this client shows, where it counts. */
  session({ session }: Asker): Session | undefined {
    return this.#sessions?.find(session, this.#tokenText);
  }

  /** Opens a session for who shows the token; returns its name, undefined where it is not that. */
  signIn(given: string): string | undefined {
    if (this.#token === undefined || !isSame(encoder.encode(given), this.#token)) return undefined;
    return this.#sessions?.open(this.#tokenText);
  }

  /** Opens a session for who was shown a link by somebody who may act. */
  signInByLink(code: string): string | undefined {
    return this.#sessions?.takeLink(code) ? this.#sessions.open(this.#tokenText) : undefined;
  }

  get hasToken(): boolean {
    return this.#token !== undefined;
  }

  #tokenRefusal(asker: Asker): string | undefined {
    if (this.#token === undefined) return undefined;
    const given = /^Bearer +(\S+) *$/i.exec(asker.authorization ?? "")?.[1];
    if (given === undefined) return "a bearer token is wanted";
    return isSame(encoder.encode(given), this.#token) ? undefined : "this is not the token";
  }

  #hostRefusal(asker: Asker): string | undefined {
    if (this.#token !== undefined || this.#insecure) return undefined;
    if (isLoopbackAddress(asker.remoteAddress)) return undefined;
    return "from other hosts this is answered with a token alone: set webserver.token_file";
  }
}

const encoder = new TextEncoder();

/** Takes as long for a wrong first byte as for a wrong last one. */
function isSame(given: Uint8Array, wanted: Uint8Array): boolean {
  let differs = given.length ^ wanted.length;
  for (let at = 0; at < given.length; at++) differs |= given[at]! ^ wanted[at % wanted.length]!;
  return differs === 0;
}

/** Of a literal address: 127.0.0.0/8, ::1, and the former within IPv6. */
export function isLoopbackAddress(address: string): boolean {
  return isLoopback(address.toLowerCase().replace(/^::ffff:/, ""));
}
