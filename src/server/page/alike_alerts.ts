// Alerts of the rule of one alert, as lines of JSON with all that is known of each: what exceptions
// are proposed from.
import { formatJson, type FormatOptions } from "../../alerts/format/format.ts";
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

const WHOLE: FormatOptions = {
  json: true,
  isoTime: false,
  outputProperty: true,
  messageProperty: true,
  outputFieldsProperty: true,
  tagsProperty: true,
  colour: false,
};

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
  const isKnown = typeof dossier === "object" && "moment" in dossier;
  const path = isKnown ? fieldsJson(alert, dossier)["proc.exepath"] : undefined;
  return typeof path === "string" ? path : "";
}

function lineOf(held: AlertRing, at: number): string {
  const { alert, dossier } = held.at(at);
  const isKnown = typeof dossier === "object" && "moment" in dossier;
  const fields = isKnown ? JSON.stringify(fieldsJson(alert, dossier)) : "{}";
  return `{"alert":${formatJson(alert, WHOLE)},"fields":${fields}}`;
}
