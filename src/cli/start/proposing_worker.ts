// The thread that proposes exceptions for who looks at an alert: the rules in force and alerts as
// lines of JSON come in, proposals go out. It lives for one answer.
import { loadOptions, loadSound } from "../../engine/compile_rules.ts";
import type { RulesStart } from "../../engine/contract/messages.ts";
import { catchStrays } from "../../engine/contract/strays.ts";
import { alertOf, type PrintedAlert } from "../../tune/alert.ts";
import type { Tuning } from "../../tune/proposal.ts";
import { propose } from "../../tune/propose.ts";
import { lookAt } from "./program_look.ts";

export interface ProposingStart {
  readonly rules: RulesStart;
  /** Each an object of `alert` and `fields`, those that it does not show itself. */
  readonly lines: readonly string[];
  /** The files that alerts name are those that this process sees. */
  readonly seesFiles: boolean;
}

export type ProposingAnswer = Tuning | { readonly error: string };

interface WorkerScope {
  onmessage: ((event: MessageEvent<ProposingStart>) => void) | null;
  postMessage(message: ProposingAnswer): void;
}

const scope = self as unknown as WorkerScope;
/** Somebody asks about one alert. */
const ALERTS_MIN = 1;

catchStrays(() => {});

scope.onmessage = ({ data: { rules, lines, seesFiles } }) => {
  try {
    // What cannot match on this host is of no interest here.
    const start = { ...rules, live: false };
    loadSound(start);
    const given = lines.map(alertIn).filter((alert) => alert !== undefined);
    const atHand = { files: start.files, load: loadOptions(start) };
    scope.postMessage(propose(given, atHand, {
      alertsMin: ALERTS_MIN,
      ...(seesFiles ? { look: lookAt } : {}),
    }));
  } catch (error) {
    scope.postMessage({ error: (error as Error).message });
  }
};

function alertIn(line: string): PrintedAlert | undefined {
  const { alert, fields } = JSON.parse(line);
  return alertOf(alert, "", fields);
}
