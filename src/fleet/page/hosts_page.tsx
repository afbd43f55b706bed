// The hosts of a fleet as a page: how many are how, then a table of them, those in trouble first;
// and one host with all that it told of itself.
import { Document, type Frame } from "../../server/page/document.tsx";
import { RenewalTrouble, Renewed } from "../../server/page/renewed.tsx";
import { age, bytes, count, many, short, shown } from "../../server/page/shown.ts";
import type { PresenceBundles } from "../contract/presence.ts";
import {
  type FleetHost,
  HOST_STATES,
  type HostSort,
  type HostState,
  type HostsWanted,
  type TableStats,
} from "../read/host_table.ts";
import { StreamTrouble, timeText, type Trouble } from "./stream_trouble.tsx";

export const HOSTS_ROWS = 100;

/** A state → its word, and the state of the page's own whose colour it has. */
const WORDS: Readonly<Record<HostState, readonly [word: string, colour: string]>> = {
  silent: ["silent", "blind"],
  losing: ["lost events", "degraded"],
  refusing: ["refused a bundle", "degraded"],
  failing: ["output in trouble", "failing"],
  stopped: ["stopped", "starting"],
  running: ["running", "ok"],
};

export interface HostsProps {
  readonly frame: Frame;
  readonly stats: TableStats;
  readonly wanted: HostsWanted;
  readonly skip: number;
  readonly hosts: readonly FleetHost[];
  /** Of that kind, on all pages. */
  readonly total: number;
  readonly nowMs: number;
  readonly trouble: Trouble | undefined;
  readonly unreadable: number;
}

export function HostsPage(props: HostsProps) {
  const { frame, stats, wanted, skip, hosts, total, nowMs, trouble, unreadable } = props;
  const { search, state, rules, version, sort } = wanted;
  const pathTo = (to: Partial<HostsWanted>, skip = 0) => {
    const query = new URLSearchParams();
    const { sort, ...of } = { ...wanted, ...to };
    for (const [name, value] of Object.entries({ ...of, sort: sort === "state" ? "" : sort })) {
      if (value) query.set(name, value);
    }
    if (skip > 0) query.set("skip", `${skip}`);
    return `/?${query}`;
  };
  const narrowed = [
    ...(rules === "" ? [] : [["rules", `rules ${short(rules, 12)}`] as const]),
    ...(version === "" ? [] : [["version", `version ${short(version, 40)}`] as const]),
  ];
  const { unreadable: presences, refused, misnamed } = stats;
  const odd = [
    ...(unreadable > 0 ? [`${many(unreadable, "message")} of the stream were no alert`] : []),
    ...(presences > 0 ? [`${many(presences, "entry")} of the bucket could not be read`] : []),
    ...(misnamed > 0 ? [`${count(misnamed)} times a host told another host's name`] : []),
    ...(refused > 0 ? [`${count(refused)} times a host found no room here`] : []),
  ];
  return (
    <Document title="Hosts" frame={frame} assets={frame.assets} here="/" renews>
      <RenewalTrouble />
      <Renewed name="sums">
        <div class="head">
          <h1>Hosts</h1>
          <p class="note">
            {`${many(stats.hosts, "host")}, as of ${timeText(nowMs)}. Times are UTC.`}
          </p>
        </div>
        <StreamTrouble of={trouble} />
        {odd.length === 0 ? null : <p class="panel trouble">{`${odd.join("; ")}.`}</p>}
        <p class="row" data-key="states">
          <a class="button" href={pathTo({ state: undefined })}>{`all ${count(stats.hosts)}`}</a>
          {HOST_STATES.filter((one) => stats.states[one] > 0).map((one) => (
            <a class="button" data-key={one} href={pathTo({ state: one })}>
              {`${WORDS[one][0]} ${count(stats.states[one])}`}
            </a>
          ))}
          {narrowed.map(([name, words]) => (
            <a class="button" data-key={name} href={pathTo({ [name]: "" })}>{`${words} ✕`}</a>
          ))}
        </p>
      </Renewed>
      <form class="panel filters" method="get" action="/" role="search">
        <label>
          Name
          <input type="search" name="search" value={search} maxlength={200} autocomplete="off" />
        </label>
        <Kept of={{ state, rules, version, sort: sort === "state" ? "" : sort }} />
        <div class="row">
          <button type="submit" class="primary">Search</button>
          <a class="button" href="/">Clear</a>
        </div>
      </form>
      <Renewed name="list">
        <section class="panel" aria-label="Hosts">
          {hosts.length === 0 ? <p class="empty">There is no such host.</p> : (
            <table class="cards">
              <thead>
                <tr>
                  <th>Host</th>
                  <th>State</th>
                  <th>Last told</th>
                  <th>
                    <Sorter word="Alerts" by="alerts" sort={sort} pathTo={pathTo} />
                  </th>
                  <th>
                    <Sorter word="Lost events" by="lost" sort={sort} pathTo={pathTo} />
                  </th>
                  <th>Rules</th>
                  <th>CPU, memory</th>
                </tr>
              </thead>
              <tbody>{hosts.map((host) => <Row host={host} nowMs={nowMs} />)}</tbody>
            </table>
          )}
          <p class="row">
            {skip > 0
              ? (
                <a class="button" data-key="prev" rel="prev" href={pathTo({}, skip - HOSTS_ROWS)}>
                  Before
                </a>
              )
              : null}
            {hosts.length === 0 ? null : (
              <span class="note">
                {`${count(skip + 1)} to ${count(skip + hosts.length)} of ${count(total)}`}
              </span>
            )}
            {skip + hosts.length < total
              ? (
                <a class="button" data-key="next" rel="next" href={pathTo({}, skip + HOSTS_ROWS)}>
                  Further hosts
                </a>
              )
              : null}
          </p>
        </section>
      </Renewed>
    </Document>
  );
}

/** What a search by name leaves as it is. */
function Kept({ of }: { readonly of: Readonly<Record<string, string | undefined>> }) {
  return (
    <>
      {Object.entries(of).filter(([, value]) => value)
        .map(([name, value]) => <input type="hidden" name={name} value={value!} />)}
    </>
  );
}

function Sorter({ word, by, sort, pathTo }: {
  readonly word: string;
  readonly by: HostSort;
  readonly sort: HostSort;
  readonly pathTo: (to: Partial<HostsWanted>) => string;
}) {
  const isSorted = by === sort;
  return (
    <a
      href={pathTo({ sort: isSorted ? "state" : by })}
      title={isSorted ? "Those in trouble first" : "The most first"}
    >
      {isSorted ? `${word} ↓` : word}
    </a>
  );
}

function Row({ host, nowMs }: { readonly host: FleetHost; readonly nowMs: number }) {
  const { presence: { alerts, events, rules, cpu_percent, memory_bytes } } = host;
  const memory = memory_bytes === null ? "" : bytes(memory_bytes);
  const cpu = cpu_percent === null ? "" : `${count(cpu_percent)} %`;
  return (
    <tr data-key={host.token}>
      <th>
        <a class="value-text" href={hostPath(host.token)}>{short(host.host, 80)}</a>
      </th>
      <td data-label="State">
        <State state={host.state} />
      </td>
      <td data-label="Last told">{`${agoOf(nowMs, host.heardMs)} ago`}</td>
      <td data-label="Alerts">
        <a href={`/page/alerts?${new URLSearchParams({ host: host.host })}`}>
          {count(alerts.total)}
        </a>
      </td>
      <td data-label="Lost events">{lostText(host, nowMs)}</td>
      <td data-label="Rules" class="value-text">
        {`${count(rules.count)}, `}
        {rules.sum === ""
          ? "none"
          : <a href={`/?${new URLSearchParams({ rules: rules.sum })}`}>{short(rules.sum, 12)}</a>}
        {events.kept_back > 0 ? ` (${many(events.kept_back, "event")} kept back)` : ""}
      </td>
      <td data-label="CPU, memory">{[cpu, memory].filter((text) => text !== "").join(", ")}</td>
    </tr>
  );
}

function State({ state }: { readonly state: HostState }) {
  const [word, colour] = WORDS[state];
  return <span class="pill" data-state={colour}>{word}</span>;
}

function agoOf(nowMs: number, thenMs: number): string {
  return age((nowMs - thenMs) / 1000);
}

function lostText({ presence: { events }, lostMs }: FleetHost, nowMs: number): string {
  if (events.lost === 0) return "none";
  const when = lostMs === undefined ? "" : `, last ${agoOf(nowMs, lostMs)} ago`;
  return `${count(events.lost)}${when}`;
}

function bundleFacts(
  of: string,
  { rollout, refused }: PresenceBundles,
): readonly (readonly [string, string])[] {
  return [
    [`Roll-out of ${of}`, rollout === null ? "none" : `${rollout.name} ${rollout.serial}`],
    [`Refused ${of}`, refused === null ? "none" : `${refused.serial}: ${refused.why}`],
  ];
}

export function hostPath(token: string): string {
  return `/page/hosts/${encodeURIComponent(token)}`;
}

export interface HostProps {
  readonly frame: Frame;
  readonly host: FleetHost;
  readonly nowMs: number;
  readonly trouble: Trouble | undefined;
}

export function HostPage({ frame, host, nowMs, trouble }: HostProps) {
  const { presence, state } = host;
  const { rules, config, events, alerts, outputs } = presence;
  const facts: readonly (readonly [string, string])[] = [
    ["Since", new Date(host.sinceMs).toISOString()],
    ["Last told", `${new Date(host.heardMs).toISOString()}, ${agoOf(nowMs, host.heardMs)} ago`],
    ["Tells every", age(presence.every)],
    ["Started", presence.started],
    ["Version", presence.version],
    ["Driver", presence.engine.kind],
    ["Events seen", count(events.seen)],
    ["Events lost", lostText(host, nowMs)],
    ["Events kept back", count(events.kept_back)],
    ["Rules in force", `${count(rules.count)}, sum ${rules.sum}`],
    ...bundleFacts("rules", rules),
    ...(config === null ? [] : bundleFacts("configuration", config)),
    ["Alerts since the start", count(alerts.total)],
    ...Object.entries(alerts.by_priority).map(([name, n]) => [`… ${name}`, count(n)] as const),
    ...(presence.host === host.host ? [] : [["It calls itself", presence.host] as const]),
  ];
  const ofHost = new URLSearchParams({ host: host.host });
  return (
    <Document title={short(host.host, 80)} frame={frame} assets={frame.assets} here="/" renews>
      <p class="note">
        <a href="/">Hosts</a>
      </p>
      <h1 class="value-text">{short(host.host)}</h1>
      <RenewalTrouble />
      <Renewed name="host">
        <StreamTrouble of={trouble} />
        <section class="panel" aria-label="What it told of itself">
          <p class="row">
            <State state={state} />
            <a class="button" href={`/page/alerts?${ofHost}`}>Its newest alerts</a>
            <a class="button" href={`/page/search?${ofHost}`}>All its alerts in the stream</a>
          </p>
          <dl class="facts">
            {facts.map(([name, value]) => (
              <>
                <dt>{shown(name)}</dt>
                <dd class="value-text">{shown(value)}</dd>
              </>
            ))}
          </dl>
        </section>
        <section class="panel" aria-labelledby="outputs">
          <h2 id="outputs">Outputs</h2>
          {outputs.length === 0 ? <p class="note">It told of none.</p> : (
            <ul>
              {outputs.map(({ name, state, waiting, dropped }) => (
                <li class="value-text" data-key={name}>
                  {`${shown(name)}: ${shown(state)}, ${count(waiting)} wait, ${
                    count(dropped)
                  } dropped`}
                </li>
              ))}
            </ul>
          )}
        </section>
        <section class="panel" aria-labelledby="rules">
          <h2 id="rules">Rules that fired</h2>
          {Object.keys(alerts.by_rule).length === 0 ? <p class="note">None.</p> : (
            <ul>
              {Object.entries(alerts.by_rule).map(([rule, n]) => (
                <li class="value-text" data-key={rule}>{`${shown(rule)}: ${count(n)}`}</li>
              ))}
            </ul>
          )}
        </section>
      </Renewed>
      <p class="note">
        Who started whom and why a rule fired is known on the host itself: its own page has it.
      </p>
    </Document>
  );
}
