// Alerts of the rule of one alert, as lines of JSON with all that is known of each: what exceptions
// are proposed from.
import { formatJson, WHOLE_JSON } from "../../alerts/format/format.ts";
import { knownDossier } from "../../engine/contract/dossier.ts";
import type { AlertRing, HeldAlert } from "../stream/alert_ring.ts";
import { fieldsJson } from "../told/dossier.ts";

export interface AlikeAlerts {
  /** Each an object of `alert`, as `json_output` writes it, and `fields`, those of its dossier. */
  readonly lines: readonly string[];
  /** Where the alert itself stands among them. */
  readonly place: number;
  /** The file that its process runs, "" where that is unknown. */
  readonly program: string;
}

/** More would take longer and say hardly more. */
const ALIKE_MAX = 1000;

/** The newest ones, the alert at `place` first. */
export function alikeAlerts(held: AlertRing, place: number): AlikeAlerts {
  const { rule } = held.at(place).alert;
  const lines = [lineOf(held, place)];
  for (let at = held.size - 1; at >= 0 && lines.length < ALIKE_MAX; at--) {
    if (at !== place && held.at(at).alert.rule === rule) lines.push(lineOf(held, at));
  }
  return { lines, place: 0, program: programOf(held.at(place)) };
}

function programOf({ alert, dossier }: HeldAlert): string {
  const known = knownDossier(dossier);
  const path = known && fieldsJson(alert, known)["proc.exepath"];
  return typeof path === "string" ? path : "";
}

function lineOf(held: AlertRing, at: number): string {
  const { alert, dossier } = held.at(at);
  const known = knownDossier(dossier);
  const fields = known === undefined ? "{}" : JSON.stringify(fieldsJson(alert, known));
  return `{"alert":${formatJson(alert, WHOLE_JSON)},"fields":${fields}}`;
}
