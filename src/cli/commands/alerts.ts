// `saker alerts`: alerts of a running saker, those of the last moments and those that come. What is
// no alert goes to standard error: that some are missing, that saker is gone, that it is back.
import { followAlerts, RECENT_MAX, recentAlerts } from "../../client/following.ts";
import { NoAnswer, type SakerClient } from "../../client/saker_client.ts";
import { type ToldAlert, toldAlert } from "../../client/told_alert.ts";
import { harmless, wrap } from "../../screen/columns.ts";
import { lineText } from "../../screen/line.ts";
import type { AlertAnswer } from "../../server/told/answers.ts";
import { visibleLine } from "../../words/visible.ts";
import { nearest } from "../../words/nearest.ts";
import type { Flags } from "../flags.ts";
import { alertLines, clock } from "../print/alert_text.ts";
import { dossierLines } from "../print/dossier_text.ts";
import { laidOut } from "../print/laid_out.ts";
import type { AskFlags } from "../start/ask_flags.ts";
import { NOBODY_THERE, nobodyThere, refusedWords, runningSaker } from "../start/running_saker.ts";
import { PipeClosed, type Terminal } from "../terminal.ts";

export interface AlertsFlags extends AskFlags {
  readonly recent?: number;
  /** In ms since the epoch. */
  readonly since?: number;
  readonly priority?: string;
  readonly rule?: readonly string[];
  readonly process?: readonly string[];
  readonly container?: readonly string[];
  readonly search?: readonly string[];
  /** Id or number of the one that is looked at. */
  readonly show?: string;
  readonly once?: boolean;
  readonly json?: boolean;
}

const RECENT = 10;
/** Where a terminal does not tell how wide it is. */
const COLUMNS = 80;

export async function alerts(
  asked: AlertsFlags,
  flags: Flags,
  terminal: Terminal,
): Promise<number> {
  const client = runningSaker(flags, asked, terminal);
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  const signals: Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) Deno.addSignalListener(signal, onSignal);
  const query = queryOf(asked);
  const recent = {
    count: asked.recent ?? (asked.since === undefined ? RECENT : RECENT_MAX),
    ...(asked.since === undefined ? {} : { sinceMs: asked.since }),
  };
  const show = (alert: ToldAlert) => print(alert, asked, terminal);
  const tell = (words: string) => tellOf(words, terminal);
  try {
    if (asked.show !== undefined) {
      await showOne(client, asked.show, asked, terminal);
      return 0;
    }
    await checkRules(client, asked.rule ?? [], query);
    if (asked.once === true) {
      for (const alert of await recentAlerts(client, query, recent)) show(alert);
      return 0;
    }
    for await (const news of followAlerts(client, { query, recent, stop: stop.signal })) {
      if (news.kind === "alert") show(news.alert);
      else if (news.kind === "missing") tell(news.words);
      else if (news.kind === "back") tell(`${client.url} answers again`);
      else tell(`${client.url} is gone (${news.reason}): it is tried again and again`);
    }
    return 0;
  } catch (error) {
    if (stop.signal.aborted || error instanceof PipeClosed) return 0;
    if (!(error instanceof NoAnswer)) throw refusedWords(error);
    terminal.error(nobodyThere(client, error));
    return NOBODY_THERE;
  } finally {
    for (const signal of signals) Deno.removeSignalListener(signal, onSignal);
    client.close();
  }
}

/** The alert with its dossier. */
async function showOne(
  client: SakerClient,
  place: string,
  { json = false }: AlertsFlags,
  terminal: Terminal,
): Promise<void> {
  const text = await client.text(`/alerts/${place}`);
  if (json) return terminal.out(`${text}\n`);
  const answer = JSON.parse(text) as AlertAnswer;
  print(toldAlert(JSON.stringify(answer.alert))!, {}, terminal);
  const write = laidOut(terminal, { tones: { "✓": "good", "✗": "bad", "?": "odd" } });
  write(`\n${dossierLines(answer).map(visibleLine).join("\n")}\n`);
}

/** One line, in as many as a terminal has for it, with the time: it stands among alerts. */
function tellOf(words: string, terminal: Terminal): void {
  const line = harmless(`saker: ${clock(Date.now())} ${words}`);
  const columns = terminal.errorIsTerminal ? terminal.errorColumns() ?? COLUMNS : Infinity;
  terminal.error(`${wrap(line, columns, { indent: "  " }).join("\n")}\n`);
}

function queryOf(asked: AlertsFlags): URLSearchParams {
  const query = new URLSearchParams();
  if (asked.priority !== undefined) query.set("priority", asked.priority);
  for (const name of ["process", "container"] as const) {
    for (const value of asked[name] ?? []) query.append(name, value);
  }
  for (const words of asked.search ?? []) query.append("search", words);
  return query;
}

/** A mistyped rule would be waited for in vain: only those that it has are asked for. */
async function checkRules(
  client: SakerClient,
  wanted: readonly string[],
  query: URLSearchParams,
): Promise<void> {
  if (wanted.length === 0) return;
  const { rules } = await client.json("/status") as {
    readonly rules?: {
      readonly list?: readonly { readonly name: string }[];
      readonly left_off?: number;
    };
  };
  const names = (rules?.list ?? []).map(({ name }) => name);
  for (const word of wanted) {
    const name = names.find((name) => name.toLowerCase() === word.toLowerCase());
    // Alerts of saker's own are of no rule in the list.
    const isOther = /\binternal\b/i.test(word) || (rules?.left_off ?? 0) > 0;
    if (name === undefined && !isOther) {
      const hint = nearest(word, names);
      throw new Error(
        `--rule ${word}: it has no such rule` +
          (hint === undefined ? "; saker -L lists those that are built in" : `; is it "${hint}"?`),
      );
    }
    query.append("rule", name ?? word);
  }
}

function print(alert: ToldAlert, { json = false }: AlertsFlags, terminal: Terminal): void {
  if (json) return terminal.out(`${alert.line}\n`);
  if (!terminal.outIsTerminal) {
    const { output, time, priority, message } = alert;
    return terminal.out(`${output || `${time}: ${priority} ${message}`}\n`);
  }
  const columns = terminal.columns() ?? COLUMNS;
  for (const line of alertLines(alert, columns, Date.now())) {
    terminal.paint(`${lineText(line, columns, terminal.colour)}\n`);
  }
}
