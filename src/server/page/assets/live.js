// What makes the page live: newer alerts at the top of a list, older ones at its end, numbers and
// plots in their places. All of it comes from this server as data and becomes text nodes and a few
// attributes; nothing is ever read as markup. Without this script the page stands still and works.

/**
 * @typedef {{ id: string, time: string, when: string, level: number, priority: string,
 *   rule: string, message: string, times: string }} Row
 * @typedef {{ state: string, texts: Record<string, string>, bad: Record<string, boolean>,
 *   paths: Record<string, string> }} Now
 */

const NOW_MS = 2000;
/** Where there is but the state to show. */
const STATE_MS = 10_000;
/** Rows of a piece of older ones, and how many are asked for at once at the most. */
const PIECE = 100;
const ASKS_MAX = 1000;
/** Rows that a list may grow to: more than a server holds. */
const ROWS_MAX = 12_000;
/** A stream that was refused is asked for again after this long. */
const AGAIN_MS = 5000;
/** The reader's software is told of newer alerts no more often. */
const SAID_MS = 5000;
/** Scrolled so far, a reader reads: nothing may move under them. */
const READING_PX = 120;
const STATES = {
  ok: "watching",
  starting: "starting",
  degraded: "degraded",
  failing: "alerts fail",
  blind: "blind",
  gone: "no connection",
};

/** @type {<T extends Element>(selector: string, type: { new (): T }) => T | undefined} */
function find(selector, type) {
  const found = document.querySelector(selector);
  return found instanceof type ? found : undefined;
}

/** @param {string} state */
function showState(state) {
  const pill = find("#state", HTMLElement);
  if (pill === undefined || pill.dataset.state === state) return;
  pill.dataset.state = state;
  pill.textContent = STATES[/** @type {keyof typeof STATES} */ (state)] ?? state;
}

/** The session may be over: the server says what to do, once. @param {Response} response */
function isAnswer(response) {
  if (response.status === 401) location.reload();
  return response.ok;
}

/** What saker's state is, and the numbers where this page has any. */
async function askNow() {
  if (document.hidden) return;
  try {
    const path = find("[data-now]", HTMLElement)?.dataset.now ?? "/page/now";
    const response = await fetch(path, { signal: AbortSignal.timeout(NOW_MS * 5) });
    if (isAnswer(response)) show(await response.json());
  } catch {
    showState("gone");
  }
}

function followNow() {
  const everyMs = find("[data-now]", HTMLElement) === undefined ? STATE_MS : NOW_MS;
  const again = async () => {
    await askNow();
    setTimeout(again, everyMs);
  };
  setTimeout(again, everyMs);
  document.addEventListener("visibilitychange", askNow);
}

/** @param {Now} now */
function show({ state, texts, bad, paths }) {
  showState(state);
  for (const element of document.querySelectorAll("[data-text]")) {
    const name = element.getAttribute("data-text") ?? "";
    const text = texts[name];
    if (text !== undefined && element.textContent !== text) element.textContent = text;
    if (name in bad) element.classList.toggle("bad", bad[name]);
  }
  for (const element of document.querySelectorAll("[data-path]")) {
    const path = paths[element.getAttribute("data-path") ?? ""];
    if (path !== undefined) element.setAttribute("d", path);
  }
}

/** A list of alerts that newer ones come into. */
class AlertList {
  /** @param {HTMLOListElement} list @param {HTMLTemplateElement} template */
  constructor(list, template) {
    this.list = list;
    this.template = template;
    /** Around the list and the pieces of older ones that were asked for. */
    this.lists = list.parentElement ?? list;
    this.keeps = Number(list.dataset.keeps) || 100;
    this.live = list.dataset.live ?? "";
    /** Newer ones that wait to be shown, the oldest first. @type {Row[]} */
    this.waiting = [];
    this.unseen = 0;
    this.missed = 0;
    this.last = "";
    this.isDue = false;
    this.saidMs = 0;
    /** Where those begin that are older still; undefined: behind the last row.
     * @type {string | undefined} */
    this.next = undefined;
    this.asks = PIECE;
    this.says = find("[data-live-says]", HTMLElement);
    this.status = find("[data-live-status]", HTMLElement);
    this.button = find("[data-live-show]", HTMLButtonElement);
    this.empty = find("[data-empty]", HTMLElement);
    /** @type {EventSource | undefined} */
    this.source = undefined;
  }

  follow() {
    this.button?.addEventListener("click", () => {
      this.put();
      scrollTo({ top: 0 });
      this.list.querySelector("a")?.focus({ preventScroll: true });
    });
    this.lists.addEventListener("pointerleave", () => this.soon());
    this.lists.addEventListener("focusout", () => this.soon());
    addEventListener("scroll", () => this.soon(), { passive: true });
    // A browser has few connections to a server: a page that nobody sees gives its own back.
    document.addEventListener(
      "visibilitychange",
      () => document.hidden ? this.stop() : this.open(),
    );
    addEventListener("pagehide", () => this.stop());
    addEventListener("pageshow", () => this.open());
    this.open();
  }

  open() {
    if (this.source !== undefined || document.hidden) return;
    const url = new URL(this.live, location.href);
    if (this.last !== "") url.searchParams.set("after", this.last);
    const source = new EventSource(url);
    this.source = source;
    source.addEventListener("open", () => {
      if (find("#state", HTMLElement)?.dataset.state === "gone") askNow();
    });
    source.addEventListener("message", (event) => {
      this.last = event.lastEventId;
      this.take(JSON.parse(event.data));
    });
    source.addEventListener("gap", (event) => {
      this.missed += Number(JSON.parse(event.data).missed) || 0;
      this.soon();
    });
    source.addEventListener("error", () => this.fail(source));
  }

  stop() {
    this.source?.close();
    this.source = undefined;
  }

  /** @param {EventSource} source */
  fail(source) {
    showState("gone");
    if (source.readyState !== EventSource.CLOSED || source !== this.source) return;
    // It was refused: too many follow, or the session is over.
    this.stop();
    fetch(location.href, { method: "HEAD" }).then(isAnswer, () => {});
    setTimeout(() => this.open(), AGAIN_MS);
  }

  /** @param {Row} row */
  take(row) {
    this.unseen++;
    this.waiting.push(row);
    if (this.waiting.length > this.keeps) this.waiting.shift();
    this.soon();
  }

  /** Whatever comes until the next frame is put in at once. */
  soon() {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => {
      this.isDue = false;
      if (this.unseen > 0 && !this.isRead()) this.put();
      this.say();
    });
  }

  /** Somebody reads, points at, or goes through the list: it stays as it is. */
  isRead() {
    const { lists } = this;
    return lists.getBoundingClientRect().top < -READING_PX || lists.matches(":hover") ||
      lists.contains(document.activeElement);
  }

  put() {
    const rows = this.waiting.splice(0);
    for (const old of this.list.querySelectorAll("li.new")) old.classList.remove("new");
    const items = rows.reverse().map((row) => this.item(row));
    // Those between the list and what it kept of the newer ones are not here: it begins anew.
    if (this.unseen > items.length) {
      this.list.replaceChildren();
      this.cut(this.list);
    }
    this.list.prepend(...items);
    for (const item of items) item.classList.add("new");
    this.unseen = 0;
    this.shorten();
    if (this.empty !== undefined) this.empty.hidden = this.list.children.length > 0;
    this.say();
  }

  /** A list that nobody made longer keeps as many rows as it had room for; another has a bound. */
  shorten() {
    const { list, lists } = this;
    if (lists.children.length === 1) {
      if (list.children.length <= this.keeps) return;
      while (list.children.length > this.keeps) list.lastElementChild?.remove();
      this.cut(list);
      return;
    }
    let rows = 0;
    for (const piece of lists.children) {
      rows += piece.children.length;
      if (rows > ROWS_MAX) return this.cut(piece.previousElementSibling ?? list);
    }
  }

  /** Takes away all behind this piece; the link to older ones leads there. @param {Element} last */
  cut(last) {
    while (last.nextElementSibling !== null) last.nextElementSibling.remove();
    this.next = undefined;
    const older = find("[data-older]", HTMLAnchorElement);
    if (older !== undefined) older.hidden = false;
  }

  /** Pieces of a hundred rows behind the list. @param {Row[]} rows */
  append(rows) {
    for (let at = 0; at < rows.length; at += PIECE) {
      const piece = document.createElement("ol");
      piece.className = "alerts piece";
      piece.append(...rows.slice(at, at + PIECE).map((row) => this.item(row)));
      this.lists.append(piece);
    }
  }

  /** @param {Row} row */
  item(row) {
    const item = /** @type {DocumentFragment} */ (this.template.content.cloneNode(true))
      .firstElementChild;
    if (!(item instanceof HTMLLIElement)) throw new Error("the template holds no row");
    /** @param {string} selector @param {string} text */
    const put = (selector, text) => {
      const element = item.querySelector(selector);
      if (element !== null) element.textContent = text;
      return element;
    };
    item.querySelector("a")?.setAttribute("href", `/page/alerts/${encodeURIComponent(row.id)}`);
    put("time", row.when)?.setAttribute("datetime", row.time);
    put(".priority", row.priority)?.setAttribute("data-priority", String(row.level));
    put("strong", row.rule);
    put(".times", row.times);
    put(".message", row.message);
    return item;
  }

  say() {
    const { says, status, button } = this;
    if (says === undefined || status === undefined || button === undefined) return;
    const missed = this.missed === 0
      ? ""
      : `${this.missed} alerts came too fast to be shown here; they are held.`;
    const isWaiting = this.unseen > 0;
    says.hidden = !isWaiting && missed === "";
    button.hidden = !isWaiting;
    if (isWaiting) {
      button.textContent = `Show ${this.unseen} newer alert${this.unseen === 1 ? "" : "s"}`;
    }
    const nowMs = performance.now();
    const text = isWaiting ? `${missed} Newer alerts wait.`.trim() : missed;
    if (status.textContent === text || nowMs - this.saidMs < SAID_MS) return;
    this.saidMs = nowMs;
    status.textContent = text;
  }

  /** Older ones are fetched as the end of the list comes near. */
  grow() {
    const older = find("[data-older]", HTMLAnchorElement);
    if (older === undefined) return;
    let isUnderWay = false;
    const more = async () => {
      if (isUnderWay || older.hidden) return;
      isUnderWay = true;
      try {
        const last = this.lists.lastElementChild?.lastElementChild?.querySelector("a")
          ?.getAttribute("href") ?? "";
        const url = new URL(older.dataset.older ?? "", location.href);
        const before = this.next ?? decodeURIComponent(last.split("/").pop() ?? "");
        if (before !== "") url.searchParams.set("before", before);
        url.searchParams.set("limit", String(this.asks));
        const response = await fetch(url);
        // The last row is not held any more: nor is what is older.
        if (response.status === 400) older.hidden = true;
        if (!isAnswer(response)) return;
        /** @type {{ rows: Row[], next: string | null }} */
        const { rows, next } = await response.json();
        // Whoever goes on wants more at once.
        this.asks = Math.min(ASKS_MAX, this.asks * 2);
        this.append(rows);
        this.next = next ?? undefined;
        older.hidden = next === null;
        // It tells of changes alone, and who scrolls on at once leaves it no time to see one.
        near.unobserve(older);
        near.observe(older);
      } catch {
        // The link still leads there.
      } finally {
        isUnderWay = false;
      }
    };
    const near = new IntersectionObserver(
      (seen) => seen.some((one) => one.isIntersecting) && more(),
      { rootMargin: "200% 0px" },
    );
    near.observe(older);
    older.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      more();
    });
  }
}

/** Arrows go through the list, `/` to the search. */
function listenToKeys() {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const at = document.activeElement;
    if (event.key === "/" && !(at instanceof HTMLInputElement || at instanceof HTMLSelectElement)) {
      const search = find("input[type=search]", HTMLInputElement);
      if (search !== undefined) event.preventDefault();
      search?.focus();
      return;
    }
    const item = at?.closest(".alerts li");
    const list = item?.parentElement;
    const next = event.key === "ArrowDown" || event.key === "j"
      ? item?.nextElementSibling ?? list?.nextElementSibling?.firstElementChild
      : event.key === "ArrowUp" || event.key === "k"
      ? item?.previousElementSibling ?? list?.previousElementSibling?.lastElementChild
      : undefined;
    const link = next?.querySelector("a");
    if (!link) return;
    event.preventDefault();
    link.focus();
  });
}

const list = find("ol.alerts", HTMLOListElement);
const template = find("template[data-row]", HTMLTemplateElement);
if (list !== undefined && template !== undefined) {
  const alerts = new AlertList(list, template);
  if (alerts.live !== "") alerts.follow();
  alerts.grow();
}
// A page that is renewed as a whole has its state with it (renew.js).
if (find("[data-renew]", HTMLElement) === undefined) followNow();
listenToKeys();
