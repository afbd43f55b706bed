// `saker top`: what a running saker sees now, asked for again and again and drawn in place; into a
// pipe, or where it is asked for, once.
import { NoAnswer, Refusal, type SakerClient } from "../../client/saker_client.ts";
import { type Snapshot, snapshotOf } from "../../client/snapshot.ts";
import { lineText } from "../../screen/line.ts";
import type { Flags } from "../flags.ts";
import { topJson } from "../print/top_json.ts";
import { rowsOf } from "../print/top_rows.ts";
import {
  rowCount,
  SORTING,
  sortings,
  type Table,
  TABLES,
  topReport,
  topScreen,
  type TopState,
} from "../print/top_view.ts";
import { FullScreen } from "../start/full_screen.ts";
import type { AskFlags } from "../start/ask_flags.ts";
import { NOBODY_THERE, nobodyThere, refusedWords, runningSaker } from "../start/running_saker.ts";
import { OutputFailed, PipeClosed, type Terminal } from "../terminal.ts";

export interface TopFlags extends AskFlags {
  readonly interval?: number;
  readonly view?: Table | "all";
  readonly rows?: number;
  readonly once?: boolean;
  readonly json?: boolean;
}

const INTERVAL_S = 2;
const ONCE_S = 1;
const ROWS = 10;
/** Intervals that `+` and `-` lead to. */
const INTERVALS = [0.5, 1, 2, 5, 10, 30, 60];

export async function top(asked: TopFlags, flags: Flags, terminal: Terminal): Promise<number> {
  const client = runningSaker(flags, asked, terminal);
  try {
    const first = await look(client);
    const isPlain = !terminal.outIsTerminal || terminal.environment("TERM") === "dumb";
    const once = asked.once === true || asked.json === true || isPlain;
    if (once) await printOnce(client, first, asked, terminal);
    else await new Top(client, first, asked, terminal).run();
    return 0;
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw refusedWords(error);
    terminal.error(nobodyThere(client, error));
    return NOBODY_THERE;
  } finally {
    client.close();
  }
}

async function look(client: SakerClient): Promise<Snapshot> {
  const status = await client.json("/status");
  return snapshotOf(status, Date.now());
}

function stateOf(now: Snapshot, before: Snapshot | undefined, asked: TopFlags): TopState {
  return {
    now,
    rows: rowsOf(now, before, false),
    view: asked.view ?? "all",
    sorting: SORTING,
    scrolled: 0,
    grouped: false,
    paused: false,
    help: false,
    intervalS: asked.interval ?? INTERVAL_S,
    gone: undefined,
  };
}

async function printOnce(
  client: SakerClient,
  first: Snapshot,
  asked: TopFlags,
  terminal: Terminal,
): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1000 * (asked.interval ?? ONCE_S)));
  const now = await look(client);
  const state = stateOf(now, first, asked);
  if (asked.json === true) return terminal.out(`${JSON.stringify(topJson(state, first))}\n`);
  const columns = terminal.columns() ?? Infinity;
  for (const line of topReport(state, columns, asked.rows ?? ROWS)) {
    terminal.paint(`${lineText(line, columns, terminal.colour).trimEnd()}\n`);
  }
}

class Top {
  readonly #client: SakerClient;
  readonly #screen: FullScreen;
  readonly #ended = Promise.withResolvers<void>();
  #before: Snapshot | undefined;
  #state: TopState;
  #timer: number | undefined;
  /** A look is under way. */
  #isLooking = false;

  constructor(client: SakerClient, first: Snapshot, asked: TopFlags, terminal: Terminal) {
    this.#client = client;
    this.#state = stateOf(first, undefined, asked);
    this.#screen = new FullScreen(terminal, {
      onKey: (key) => this.#attempt(() => this.#onKey(key)),
      onRedraw: () => this.#attempt(() => this.#draw()),
      onEnd: () => this.#ended.resolve(),
    });
  }

  async run(): Promise<void> {
    try {
      this.#screen.begin();
      this.#draw();
      // The first rates are there after a second.
      this.#again(Math.min(ONCE_S, this.#state.intervalS));
      await this.#ended.promise;
    } catch (error) {
      // A terminal that has gone ends it as well as its reader does.
      if (!(error instanceof PipeClosed || error instanceof OutputFailed)) throw error;
    } finally {
      clearTimeout(this.#timer);
      this.#screen.end();
    }
  }

  /** A failure ends the run, wherever it began. */
  #attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#ended.reject(error);
    }
  }

  #again(seconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), seconds * 1000);
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const now = this.#state.paused ? undefined : await look(this.#client);
      if (now !== undefined) this.#take(now);
    } catch (error) {
      if (error instanceof NoAnswer || error instanceof Refusal) this.#miss(error.message);
      else this.#ended.reject(error);
    } finally {
      this.#isLooking = false;
    }
    this.#attempt(() => this.#draw());
    this.#again(this.#state.intervalS);
  }

  #take(now: Snapshot): void {
    // Between an absence and now there may have been another run.
    const before = this.#state.gone === undefined ? this.#state.now : undefined;
    this.#before = before;
    const { grouped } = this.#state;
    this.#change({ now, rows: rowsOf(now, before, grouped), gone: undefined });
  }

  #miss(reason: string): void {
    const { gone } = this.#state;
    this.#change({ gone: { sinceMs: gone?.sinceMs ?? Date.now(), reason } });
  }

  #change(changes: Partial<TopState>): void {
    this.#state = { ...this.#state, ...changes };
  }

  #draw(): void {
    this.#screen.draw(topScreen(this.#state, this.#screen.size));
  }

  #onKey(key: string): void {
    const { help } = this.#state;
    if (key === "q") return this.#ended.resolve();
    if (help) this.#change({ help: false });
    else this.#act(key);
    this.#draw();
  }

  #act(key: string): void {
    const { view, grouped, paused, now } = this.#state;
    const at = TABLES.findIndex((table) => table[0] === key);
    if (at >= 0) {
      const table = TABLES[at]!;
      return this.#change({ view: view === table ? "all" : table, scrolled: 0 });
    }
    switch (key) {
      case "?":
      case "h":
        return this.#change({ help: true });
      case "a":
      case "escape":
        return this.#change({ view: "all", scrolled: 0 });
      case "tab": {
        const views = ["all", ...TABLES] as const;
        const next = views[(views.indexOf(view) + 1) % views.length]!;
        return this.#change({ view: next, scrolled: 0 });
      }
      case "s":
        return this.#sort(1);
      case "S":
        return this.#sort(-1);
      case "R":
        return this.#reverse();
      case "g":
        return this.#change({ grouped: !grouped, rows: rowsOf(now, this.#before, !grouped) });
      case " ":
        this.#change({ paused: !paused });
        return this.#again(0);
      case "+":
        return this.#pace(1);
      case "-":
        return this.#pace(-1);
      default:
        return this.#scroll(key);
    }
  }

  /** Of the table that is looked at; of all of them the first. */
  #table(): Table {
    const { view } = this.#state;
    return view === "all" ? "types" : view;
  }

  #sort(step: number): void {
    const table = this.#table();
    const titles = sortings(table);
    const { by } = this.#state.sorting[table];
    const next = titles[(titles.indexOf(by) + step + titles.length) % titles.length]!;
    const sorting = { ...this.#state.sorting, [table]: { by: next, reversed: false } };
    this.#change({ sorting, scrolled: 0 });
  }

  #reverse(): void {
    const table = this.#table();
    const { by, reversed } = this.#state.sorting[table];
    const sorting = { ...this.#state.sorting, [table]: { by, reversed: !reversed } };
    this.#change({ sorting, scrolled: 0 });
  }

  #pace(step: number): void {
    const { intervalS } = this.#state;
    const next = step > 0
      ? INTERVALS.find((seconds) => seconds > intervalS)
      : INTERVALS.findLast((seconds) => seconds < intervalS);
    if (next === undefined) return;
    this.#change({ intervalS: next });
    this.#again(next);
  }

  #scroll(key: string): void {
    const { view, scrolled } = this.#state;
    if (view === "all") return;
    const page = Math.max(1, this.#screen.size.rows - 8);
    const last = Math.max(0, rowCount(this.#state, view) - 1);
    const steps: Readonly<Record<string, number>> = {
      up: -1,
      down: 1,
      k: -1,
      j: 1,
      "page up": -page,
      "page down": page,
      home: -scrolled,
      end: last - scrolled,
    };
    const to = Math.min(last, Math.max(0, scrolled + (steps[key] ?? 0)));
    this.#change({ scrolled: to });
  }
}
