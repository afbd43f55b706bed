// What the engine needs of rules: a compiled set that is swapped in whole, and one function that
// says which rules an event matches.
import type { Value } from "../fields/row/field.ts";
import type { Context } from "../state/contract/context.ts";
import type { RuleAccount, Taken } from "./rule_account.ts";
import type { RuleCosts } from "./rule_costs.ts";

export interface RenderedOutput {
  /** The output with its fields filled in. */
  readonly message: string;
  /** Each field of the output once, in order, then the extra fields. */
  readonly fields: readonly (readonly [string, Value])[];
}

export interface CompiledRule {
  /** Place in `RuleSet.rules`; also the order in which rules are tried. */
  readonly index: number;
  readonly name: string;
  /** Index into PRIORITY_NAMES. */
  readonly priority: number;
  /** Sorted. */
  readonly tags: readonly string[];
  readonly source: string;
  readonly capture: boolean;
  readonly captureDurationMs: number;
  /** Its condition or output asks what a container's runtime has to tell. */
  readonly asksRuntimes?: boolean;
  /** The same of the cluster that this machine is a node of. */
  readonly asksCluster?: boolean;
  render(context: Context): RenderedOutput;
}

/** A rule that an event of an awaited container matches, or may match. */
export interface HeldRule {
  readonly rule: CompiledRule;
  /** It matches, whatever a runtime tells of the container. */
  readonly isCertain: boolean;
  /** Its condition or output asks what a runtime has to tell. */
  readonly asksRuntimes: boolean;
  /** The same of the cluster. */
  readonly asksCluster: boolean;
  /** The output once the runtime has told, which the context shows; undefined: no match. */
  settle(later: Context): Settled | undefined;
}

export interface Settled extends RenderedOutput {
  /** What was read of the event when it came, where more was to be told of it. */
  readonly told?: { readonly account: RuleAccount; readonly taken: Taken };
}

export interface HeldEvent {
  /** In order. */
  readonly rules: readonly HeldRule[];
  /** Only the first that matches counts. */
  readonly onlyFirst: boolean;
}

export interface RuleSet {
  /** Enabled rules of the "syscall" source, in order. */
  readonly rules: readonly CompiledRule[];
  /** By event code: 1 where some rule can match. */
  readonly wanted: Uint8Array;
  /** What of the differences between an event's views the rules can see: bits of Differs. */
  readonly seen: number;
  /** Names of the events that the rules can match, for the choice of system calls. */
  readonly eventNames: ReadonlySet<string>;
  /** Those that a rule asks for by name: of rules that can match nearly all events none. */
  readonly namedEvents?: ReadonlySet<string>;
  /** What the rules cost, where a clock was given to it. */
  readonly costs?: RuleCosts;
  /**
   * Writes the indexes of the rules that match the event under any of its views, in order and each
   * once, to `matched` and returns how many there are: at most one under `first`. `matched` holds
   * `rules.length` at least. What `render` shows until the next event is the view that matched.
   */
  match(context: Context, matched: Int32Array): number;
  /** Judges an event whose container is still to be told of as far as it can be judged now;
   * undefined: no rule matches it, whatever is told. `isTold`: whether more than the output is to
   * be told of an event that the rule may match. */
  hold?(context: Context, isTold?: (rule: CompiledRule) => boolean): HeldEvent | undefined;
  /** What the rule of that index says of itself and of the last event that it matched; made when
   * it is first asked for. */
  account?(index: number): RuleAccount | undefined;
}
