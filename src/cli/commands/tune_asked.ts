// Alerts for `saker tune` from a running saker: those that it holds, the oldest first, each with
// the fields of its dossier.
import type { SakerClient } from "../../client/saker_client.ts";
import { alertOf, type PrintedAlert, wholeNumbers } from "../../tune/alert.ts";

/** Alerts that one answer of /alerts/recent has. */
const PAGE = 1000;

/** Throws NoAnswer or Refusal, or an error of one line where the answer is none of saker's. */
export async function heldAlerts(client: SakerClient): Promise<PrintedAlert[]> {
  const found: PrintedAlert[] = [];
  let before: string | undefined;
  for (;;) {
    const from = before === undefined ? "" : `&before=${encodeURIComponent(before)}`;
    const page = pageOf(await client.text(`/alerts/recent?with=fields&limit=${PAGE}${from}`));
    if (page === undefined) throw new Error(`what answers at ${client.url} is no saker`);
    for (const { alert, fields } of page.alerts ?? []) {
      const printed = alertOf(alert, "", fields ?? {});
      if (printed !== undefined) found.push(printed);
    }
    if (typeof page.next !== "string") return found.reverse();
    before = page.next;
  }
}

interface Page {
  readonly alerts?: readonly {
    readonly alert: unknown;
    readonly fields?: Readonly<Record<string, unknown>> | null;
  }[];
  readonly next?: unknown;
}

function pageOf(text: string): Page | undefined {
  try {
    const page = JSON.parse(text, wholeNumbers);
    return typeof page === "object" && page !== null ? page : undefined;
  } catch {
    return undefined;
  }
}
