// The thread that tells of the rules in force, for who looks at them: rules come in as text, what
// each is about goes out. It lives for one answer: neither the engine nor the main thread is held
// up, and what reading rules takes is given back.
import { loadWith } from "../../engine/compile_rules.ts";
import type { RulesStart } from "../../engine/contract/messages.ts";
import { catchStrays } from "../../engine/contract/strays.ts";
import { codeCount, namesOf } from "../../rules/check/event_types.ts";
import type { CheckedRule } from "../../rules/check/resolve.ts";
import type { Loaded } from "../../rules/load.ts";
import { NAMED_MAX } from "../../rules/match/compile.ts";
import { aboutRule } from "../../rules/match/rule_text.ts";
import { ruleTextJson } from "../../server/told/dossier.ts";
import type { ToldRules } from "../../server/told/rules.ts";
import { sieveByEvent } from "../../sieve/describe.ts";

export type TellingAnswer = ToldRules | { readonly error: string };

interface WorkerScope {
  onmessage: ((event: MessageEvent<RulesStart>) => void) | null;
  postMessage(message: TellingAnswer): void;
}

const scope = self as unknown as WorkerScope;

catchStrays(() => {});

scope.onmessage = ({ data }) => {
  try {
    scope.postMessage(told(data));
  } catch (error) {
    scope.postMessage({ error: (error as Error).message });
  }
};

function told(start: RulesStart): ToldRules {
  const loaded = loadWith(start);
  const texts = new Map(loaded.results.map(({ name, text }) => [name, text]));
  const enabled = new Set(loaded.enabled.map(({ name }) => name));
  return {
    rules: loaded.rules.map((rule) => ({
      ...ruleTextJson(aboutRule(rule, texts)),
      enabled: enabled.has(rule.name),
      events: eventsOf(rule),
    })),
    sieve: Object.fromEntries(sieveByEvent(ofCalls(loaded))),
  };
}

function ofCalls({ enabled }: Loaded): CheckedRule[] {
  return enabled.filter(({ source }) => source === "syscall");
}

function eventsOf({ source, events }: CheckedRule): string[] | null {
  if (source !== "syscall" || codeCount(events) > NAMED_MAX) return null;
  return [...new Set(namesOf(events))].sort();
}
