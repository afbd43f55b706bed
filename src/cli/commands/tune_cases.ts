// The cases that are kept beside rules (*_test.yaml), for `saker tune`: what they say must fire is
// not to be excused. In: rules files, exceptions. Out: the case that an exception would break, and
// how many hold with all of them.
import type { Node } from "../../rules/check/condition.ts";
import { interpretAtom, interpretWith } from "../../rules/match/interpret.ts";
import { readTextFile } from "../../files/read_text.ts";
import type { Loaded, RulesText } from "../../rules/load.ts";
import { type HandEvent, viewsOf } from "../../rules/tools/hand_event.ts";
import { readScenarios, type Scenario } from "../../rules/tools/scenario.ts";
import { type Paths, runScenario } from "../../rules/tools/scenario_run.ts";
import { loadAtHand, type RulesAtHand } from "../../tune/trial.ts";
import { RULES_BYTES_MAX } from "../start/engine_start.ts";

interface Case {
  readonly file: string;
  readonly scenario: Scenario;
}

export interface CasesProof {
  readonly held: number;
  readonly files: number;
  /** Cases that held before and do not now. */
  readonly broken: readonly string[];
}

export class KeptCases {
  readonly #cases: Case[] = [];
  readonly #files = new Set<string>();
  readonly #rules: RulesAtHand;
  readonly #loaded: Loaded;

  /** Reads what stands beside the rules files; files of cases that cannot be read are left out. */
  constructor(rules: RulesAtHand) {
    this.#rules = rules;
    this.#loaded = loadAtHand(rules);
    const { fields, pluginFields = new Map(), asyncNames = new Set() } = rules.load;
    for (const file of rules.files) {
      const beside = casesBeside(file);
      if (beside === undefined) continue;
      const read = readScenarios(beside.name, beside.text, fields, {
        fields: pluginFields,
        asyncNames,
      });
      this.#files.add(beside.name);
      for (const scenario of read.scenarios) {
        // Captures of cases lie beside them; those are proven by --keep.
        if (scenario.capture === undefined) this.#cases.push({ file: beside.name, scenario });
      }
    }
  }

  /** The case that would fail if the rule had the exception. */
  brokenBy(rule: string, excuses: Node): string | undefined {
    const node = this.#loaded.rules.find(({ name }) => name === rule)?.node;
    if (node === undefined) return undefined;
    const broken = this.#cases.find(({ scenario }) =>
      scenario.fires.includes(rule) && scenario.events.length > 0 &&
      !scenario.events.some((event) => firesStill(node, excuses, event))
    );
    return broken && `${broken.file}: ${broken.scenario.name}`;
  }

  /** Runs all cases with the exceptions, and those that fail without them as well. */
  prove(yaml: string, paths: Paths): CasesProof {
    const after = loadAtHand(this.#rules, yaml);
    const broken: string[] = [];
    let held = 0;
    for (const { file, scenario } of this.#cases) {
      const holds = (loaded: Loaded) =>
        runScenario(scenario, loaded, undefined, paths).failures.length === 0;
      if (holds(after)) held++;
      else if (holds(this.#loaded)) broken.push(`${file}: ${scenario.name}`);
    }
    return { held, files: this.#files.size, broken };
  }
}

/** A case tells a few fields only. That its event is the host's and of the user that the exception
 * is for is assumed: else no exception on them would ever meet a case. */
function firesStill(node: Node, excuses: Node, event: HandEvent): boolean {
  return viewsOf(event).some(({ read }) => {
    if (!interpretWith(node, (atom) => interpretAtom(atom, read))) return false;
    return !interpretWith(excuses, (atom) => {
      const { bound } = atom.left;
      const isAssumed = bound !== undefined && ASSUMED.has(bound.text) &&
        read(bound) === undefined;
      return isAssumed || interpretAtom(atom, read);
    });
  });
}

const ASSUMED: ReadonlySet<string> = new Set(["container.id", "user.uid"]);

function casesBeside({ name, isBuiltIn }: RulesText): RulesText | undefined {
  const beside = name.replace(/(\.ya?ml)$/, "_test$1");
  if (beside === name) return undefined;
  try {
    const text = isBuiltIn === true
      ? Deno.readTextFileSync(new URL(`../../../${beside}`, import.meta.url))
      : readTextFile(beside, RULES_BYTES_MAX);
    return { name: beside, text };
  } catch {
    return undefined;
  }
}
