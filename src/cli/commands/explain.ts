// `saker explain RULE --event FILE[#NUMBER]`: the rule's condition as a tree with each part's
// answer on an event: one written by hand in YAML, or one of a capture or an audit log. Without a
// number it is the first on which the rule fires, or else the one that came closest.
import { wantedCodes } from "../../rules/match/compile.ts";
import { readDocuments } from "../../rules/read/document.ts";
import { Lines } from "../../rules/read/lines.ts";
import { explain, partsThatHold, type Seen } from "../../rules/tools/explain.ts";
import { readHandEvent, viewsOf } from "../../rules/tools/hand_event.ts";
import { interpret } from "../../rules/match/interpret.ts";
import { type Loaded, type LoadOptions, loadRules, type RulesText } from "../../rules/load.ts";
import { readTextFile } from "../../files/read_text.ts";
import { reasonOf } from "../../files/reason.ts";
import { nearest } from "../../words/nearest.ts";
import type { ToolPlugins } from "../start/tool_plugins.ts";
import type { CheckedRule } from "../../rules/check/resolve.ts";
import { openSource, type Paths, walkSource } from "../../rules/tools/scenario_run.ts";
import type { Context } from "../../state/contract/context.ts";
import { DIFFERS_FOR_SURE, otherViews, View } from "../../state/contract/views.ts";

export interface ExplainOptions {
  readonly rule: string;
  /** A YAML file, or a capture or audit log with or without `#` and the event's number. */
  readonly event: string;
  /** How rules are read. */
  readonly load: LoadOptions;
  /** Which views count in captures: engine.paths. */
  readonly paths: Paths;
  /** Plugins that can be asked of events of captures, where any are loaded. */
  readonly plugins?: Pick<ToolPlugins, "running">;
}

/** Explains and returns the exit code; what is wrong with the request is thrown as one line. */
export function explainRule(
  files: readonly RulesText[],
  options: ExplainOptions,
  write: (text: string) => void,
): number {
  const loaded = loadRules(files, options.load);
  const rule = loaded.rules.find(({ name }) => name === options.rule);
  if (rule === undefined) {
    const near = nearest(options.rule, loaded.rules.map(({ name }) => name));
    const hint = near === undefined ? "" : `, did you mean "${near}"?`;
    throw new Error(`there is no rule "${options.rule}"${hint}`);
  }
  const text = /\.ya?ml$/.test(options.event)
    ? explainByHand(rule, loaded, options)
    : explainCapture(rule, loaded, files, options);
  write(`${text}\n`);
  return 0;
}

const EVENT_BYTES_MAX = 1 << 20;

function readEvent(path: string): string {
  try {
    return readTextFile(path, EVENT_BYTES_MAX);
  } catch (error) {
    throw new Error(`Cannot read the event ${path}: ${reasonOf(error)}`);
  }
}

function explainByHand(rule: CheckedRule, loaded: Loaded, options: ExplainOptions): string {
  const text = readEvent(options.event);
  const { roots, errors } = readDocuments(text);
  const lines = new Lines(text);
  const place = (at: number) => `${options.event}:${lines.at(at).line + 1}`;
  if (errors.length > 0) throw new Error(`${place(errors[0]!.at)}: ${errors[0]!.message}`);
  const root = roots[0];
  const node = root?.kind === "seq" ? root.items[0] : root;
  if (node?.kind !== "map") {
    throw new Error(`${options.event}: an event is a map of type and fields`);
  }
  const { fields, pluginFields, asyncNames = new Set() } = options.load;
  const read = readHandEvent(node, pluginFields?.get(rule.source) ?? fields, {
    source: rule.source,
    asyncNames,
  });
  if ("errors" in read) throw new Error(`${place(read.errors[0]!.at)}: ${read.errors[0]!.message}`);
  return explain(rule, loaded.resolved, read.event.code, viewsOf(read.event));
}

function explainCapture(
  { name, source }: CheckedRule,
  first: Loaded,
  files: readonly RulesText[],
  options: ExplainOptions,
): string {
  const { event, paths } = options;
  let loaded = first;
  const running = options.plugins?.running((by) => (loaded = loadRules(files, by)).rules);
  const rules = running?.rulesOf(source) ?? loaded.rules;
  const rule = rules.find((one) => one.name === name)!;
  const [, path = "", number] = /^(.*?)(?:#(\d+))?$/.exec(event)!;
  const codes = new Set(wantedCodes(rule, rule.source));
  let best = -1;
  let text: string | undefined;
  const events = running?.sources.includes(source) === true
    ? running.open(path, source)
    : openSource(path);
  walkSource(events, paths, (context) => {
    const { num, code } = context.event;
    const views = viewsIn(context);
    const tell = () => {
      text = `Event ${num}: ${explain(rule, loaded.resolved, code, views)}`;
    };
    if (number !== undefined) {
      if (num !== Number(number)) return true;
      tell();
      return false;
    }
    if (!codes.has(code)) return true;
    if (views.some(({ read }) => interpret(rule.node, read))) {
      tell();
      return false;
    }
    const parts = partsThatHold(rule, loaded.resolved, views);
    if (parts > best) {
      best = parts;
      tell();
    }
    return true;
  });
  if (text !== undefined) return text;
  throw new Error(
    number === undefined
      ? `${path} has no event that "${rule.name}" is tried on`
      : `${path} has no event ${number}`,
  );
}

/** The event that was applied, view by view. */
function viewsIn(context: Context): readonly Seen[] {
  return [View.Kernel, ...otherViews(context.differs & DIFFERS_FOR_SURE)].map((view) => ({
    view,
    read: (bound) => context.under(view, () => bound.extract(context)),
  }));
}
