// Which rules fire where, and which rules the hosts run, as a page.
import { Document, type Frame } from "../../server/page/document.tsx";
import { RenewalTrouble, Renewed } from "../../server/page/renewed.tsx";
import { count, many, short, shown } from "../../server/page/shown.ts";
import type { CounterStats } from "../read/rule_counter.ts";
import type { RuleFired, RuleTally } from "../read/rule_tally.ts";
import { StreamTrouble, timeText, type Trouble } from "./stream_trouble.tsx";

export interface FleetRulesProps {
  readonly frame: Frame;
  readonly tally: RuleTally;
  readonly counting: CounterStats;
  readonly sums: readonly (readonly [sum: string, hosts: number])[];
  readonly versions: readonly (readonly [version: string, hosts: number])[];
  readonly nowMs: number;
  readonly trouble: Trouble | undefined;
}

/** Hosts that are named beside a rule, and those that can be unfolded. */
const [NAMED, UNFOLDED] = [5, 20];

export function FleetRules(props: FleetRulesProps) {
  const { frame, tally, counting, sums, versions, nowMs, trouble } = props;
  return (
    <Document title="Rules" frame={frame} assets={frame.assets} here="/page/rules" renews>
      <RenewalTrouble />
      <Renewed name="rules">
        <div class="head">
          <h1>Rules</h1>
          <p class="note">{`As of ${timeText(nowMs)}. Times are UTC.`}</p>
        </div>
        <StreamTrouble of={trouble} />
        <section class="panel" aria-labelledby="fired">
          <h2 id="fired">Which fire where</h2>
          <p class="note">{countedText(tally, counting)}</p>
          {counting.trouble === undefined
            ? null
            : <p class="trouble" role="alert">{`${shown(counting.trouble)}.`}</p>}
          <table class="cards">
            <thead>
              <tr>
                <th>Rule</th>
                <th>Alerts</th>
                <th>Last</th>
                <th>Hosts</th>
              </tr>
            </thead>
            <tbody>{tally.rules().map((one) => <Row fired={one} />)}</tbody>
          </table>
        </section>
        <section class="panel" aria-labelledby="sums">
          <h2 id="sums">Rules in force</h2>
          <Hosts of="rules" counts={sums} />
        </section>
        <section class="panel" aria-labelledby="versions">
          <h2 id="versions">Versions of saker</h2>
          <Hosts of="version" counts={versions} />
        </section>
      </Renewed>
    </Document>
  );
}

/** How many hosts have what, each leading to those. */
function Hosts({ of, counts }: {
  readonly of: "rules" | "version";
  readonly counts: readonly (readonly [value: string, hosts: number])[];
}) {
  return (
    <ul>
      {counts.map(([value, hosts]) => (
        <li class="value-text" data-key={value}>
          {`${value === "" ? "not told" : short(value, 64)}: `}
          {value === ""
            ? many(hosts, "host")
            : <a href={`/?${new URLSearchParams({ [of]: value })}`}>{many(hosts, "host")}</a>}
        </li>
      ))}
    </ul>
  );
}

function countedText({ read, sinceMs, refused, unnamed }: RuleTally, counting: CounterStats) {
  const { name, behind } = counting;
  const since = sinceMs === undefined
    ? "No alert is counted yet"
    : `${many(read, "alert")} since ${new Date(sinceMs).toISOString().slice(0, 19)}`;
  return [
    `${since.replace("T", " ")}${name === undefined ? "" : `, kept as "${short(name, 80)}"`}.`,
    ...(behind > 0 ? [`${many(behind, "alert")} are still to be counted.`] : []),
    ...(refused > 0 ? [`${many(refused, "alert")} of further rules are not counted.`] : []),
    ...(unnamed > 0 ? [`${many(unnamed, "message")} did not say of which rule they are.`] : []),
  ].join(" ");
}

function Row({ fired: { rule, count: alerts, lastMs, hosts, elsewhere } }: {
  readonly fired: RuleFired;
}) {
  const further = hosts.slice(NAMED, NAMED + UNFOLDED);
  const others = hosts.length - NAMED - further.length;
  const named = ([host, n]: RuleFired["hosts"][number], at: number) => (
    <span data-key={host}>
      {at === 0 ? "" : ", "}
      <a href={`/page/alerts?${new URLSearchParams({ host, rule })}`}>{short(host, 80)}</a>
      {` (${count(n)})`}
    </span>
  );
  return (
    <tr data-key={rule}>
      <th>
        <a class="value-text" href={`/page/alerts?${new URLSearchParams({ rule })}`}>
          {shown(rule)}
        </a>
      </th>
      <td data-label="Alerts">{count(alerts)}</td>
      <td data-label="Last">{new Date(lastMs).toISOString().slice(0, 19).replace("T", " ")}</td>
      <td data-label="Hosts" class="value-text">
        {hosts.slice(0, NAMED).map(named)}
        {further.length === 0 ? null : (
          <details>
            <summary>{`and ${count(hosts.length - NAMED)} more`}</summary>
            {further.map(named)}
            {others > 0 ? ` and ${count(others)} more` : ""}
          </details>
        )}
        {elsewhere > 0 ? `; ${many(elsewhere, "alert")} of further hosts` : ""}
      </td>
    </tr>
  );
}
