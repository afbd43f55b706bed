// Renews parts of a page in their places: lists and facts of many hosts that somebody leaves open.
// The server sends them as data; they become text nodes, elements of a few kinds and a few
// attributes, and nothing is ever read as markup. Elements stay who they are, so that the focus,
// what was opened and what was selected stay too. Without this script the page stands still.

/**
 * @typedef {{ 0: string, 1: Record<string, string>, 2: Piece[] }} Made name, attributes, content
 * @typedef {string | Made} Piece
 * @typedef {{ state: string, word: string, parts: Record<string, Piece[]> }} Renewal
 */

const EVERY_MS = 5000;
/** A server that takes long to answer is asked less often: a twentieth of its time is ours. */
const SHARE = 20;
/** An answer that has not come by then does not come. */
const ANSWER_MS = 30_000;
/** Somebody aims at something: it stays where it is for so long behind the last move. */
const AIMING_MS = 1500;
/** And for so long at the most: a button that was let go elsewhere is not told of. */
const CALM_MS = 10_000;
const TAGS = new Set(
  ("a dd details div dl dt h1 h2 li p section span strong summary table tbody td th thead tr ul")
    .split(" "),
);
const ATTRIBUTES = [
  ...["aria-label", "aria-labelledby", "class", "data-key", "data-label", "data-state", "href"],
  ...["id", "rel", "role", "title"],
];

/** @param {string} tag @param {string | null | undefined} key */
const kindOf = (tag, key) => key ? `${tag} ${key}` : tag;

/** @param {Node} node */
function kindOfNode(node) {
  return node instanceof Element
    ? kindOf(node.tagName.toLowerCase(), node.getAttribute("data-key"))
    : "#text";
}

/** @param {Element} element @param {Record<string, string>} attributes */
function dress(element, attributes) {
  for (const name of ATTRIBUTES) {
    const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    // Links lead to this server alone.
    const isTaken = value !== undefined && (name !== "href" || /^\/(?!\/)/.test(value));
    if (!isTaken) element.removeAttribute(name);
    else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }
}

/** Makes what is in an element as it is wanted, of what is there already.
 * @param {Element} parent @param {Piece[]} pieces */
function fill(parent, pieces) {
  /** @type {Map<string, ChildNode[]>} */
  const there = new Map();
  for (const node of parent.childNodes) {
    const kind = kindOfNode(node);
    const alike = there.get(kind);
    if (alike === undefined) there.set(kind, [node]);
    else alike.push(node);
  }
  /** @type {ChildNode[]} */
  const wanted = [];
  for (const piece of pieces) {
    if (typeof piece === "string") {
      const node = there.get("#text")?.shift() ?? document.createTextNode("");
      if (node.textContent !== piece) node.textContent = piece;
      wanted.push(node);
      continue;
    }
    const { 0: tag, 1: attributes, 2: inner } = piece;
    if (!TAGS.has(tag)) continue;
    const found = there.get(kindOf(tag, attributes["data-key"]))?.shift();
    const element = found instanceof Element ? found : document.createElement(tag);
    dress(element, attributes);
    fill(element, inner);
    wanted.push(element);
  }
  for (const rest of there.values()) for (const node of rest) node.remove();
  place(parent, wanted);
}

/** In this order; what has the focus is not moved, since it would lose it: all else is.
 * @param {Element} parent @param {ChildNode[]} wanted */
function place(parent, wanted) {
  const focus = document.activeElement;
  const still = wanted.findIndex((node) => node.parentNode === parent && node.contains(focus));
  /** @param {ChildNode[]} nodes @param {ChildNode | null} end */
  const before = (nodes, end) => {
    let behind = end;
    for (const node of nodes.reverse()) {
      if (node.parentNode !== parent || node.nextSibling !== behind) {
        parent.insertBefore(node, behind);
      }
      behind = node;
    }
  };
  before(wanted.slice(still + 1), null);
  if (still >= 0) before(wanted.slice(0, still), wanted[still] ?? null);
}

class Renewing {
  /** @param {HTMLElement[]} parts */
  constructor(parts) {
    this.parts = parts;
    this.says = document.querySelector("[data-renew-says]");
    this.pill = document.querySelector("#state");
    this.wellAt = new Date();
    this.isAsking = false;
    this.isPressed = false;
    this.movedMs = -AIMING_MS;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  begin() {
    document.addEventListener("visibilitychange", () => this.ask());
    addEventListener("pointerdown", () => this.isPressed = true);
    for (const name of ["pointerup", "pointercancel", "blur", "click"]) {
      addEventListener(name, () => this.isPressed = false);
    }
    for (const part of this.parts) {
      part.addEventListener("pointermove", () => this.movedMs = performance.now());
    }
    addEventListener("pageshow", (event) => event.persisted && this.ask());
    this.soon(EVERY_MS);
  }

  /** @param {number} ms */
  soon(ms) {
    clearTimeout(this.timer);
    // A page that nobody sees asks for nothing; it does so as soon as it is seen.
    if (!document.hidden) this.timer = setTimeout(() => this.ask(), ms);
  }

  /** Never rejects. */
  async ask() {
    clearTimeout(this.timer);
    if (this.isAsking || document.hidden) return;
    this.isAsking = true;
    const beganMs = performance.now();
    let tookMs = 0;
    try {
      const response = await fetch(location.href, {
        headers: { accept: "application/json" },
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      // The session is over, or what the page is about is gone: the server says so itself.
      if (response.status === 401 || response.status === 404) return location.reload();
      if (!response.ok) throw new Error(`status ${response.status}`);
      /** @type {Renewal} */
      const renewal = await response.json();
      tookMs = performance.now() - beganMs;
      this.wellAt = new Date();
      await this.calm();
      this.show(renewal);
    } catch {
      this.fail();
    } finally {
      this.isAsking = false;
    }
    this.soon(Math.max(EVERY_MS, SHARE * tookMs));
  }

  /** Until nobody presses or aims. */
  async calm() {
    const isAimedAt = () => this.isPressed || performance.now() - this.movedMs < AIMING_MS;
    for (const until = performance.now() + CALM_MS; isAimedAt() && performance.now() < until;) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** @param {Renewal} renewal */
  show({ state, word, parts }) {
    this.tell(state, word, "");
    const last = this.parts.at(-1)?.firstElementChild;
    const beforePx = last?.getBoundingClientRect().top;
    for (const part of this.parts) fill(part, parts[part.dataset.renew ?? ""] ?? []);
    // What came above a list that somebody has scrolled through does not push it away.
    if (beforePx !== undefined && beforePx < 0 && last?.isConnected) {
      scrollBy({ top: last.getBoundingClientRect().top - beforePx, behavior: "instant" });
    }
  }

  fail() {
    const since = this.wellAt.toISOString().slice(0, 19).replace("T", " ");
    const text = `No answer from saker fleet since ${since} UTC. What stands here is of then.`;
    this.tell("gone", "no connection", text);
  }

  /** @param {string} state @param {string} word @param {string} text */
  tell(state, word, text) {
    const { pill, says } = this;
    if (pill instanceof HTMLElement && pill.dataset.state !== state) {
      pill.dataset.state = state;
      pill.textContent = word;
    }
    if (!(says instanceof HTMLElement) || says.textContent === text) return;
    says.textContent = text;
    says.hidden = text === "";
  }
}

const renewed = [...document.querySelectorAll("[data-renew]")]
  .filter((element) => element instanceof HTMLElement);
if (renewed.length > 0) new Renewing(renewed).begin();
