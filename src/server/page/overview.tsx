// The first page: what saker sees now, what is amiss, and the newest alerts.
import type { SeriesAnswer } from "../told/answers.ts";
import { type AlertRow, AlertRows } from "./alert_rows.tsx";
import { Document, type Frame } from "./document.tsx";
import { type SpanName, SPANS, type Tile, tilesOf, topOf } from "./overview_now.ts";
import { Plot } from "./plots.tsx";
import { age, clockOf, count, dayOf, short, shown } from "./shown.ts";
import type { StatusShown } from "./status_shown.ts";

export interface OverviewProps {
  readonly frame: Frame;
  readonly status: StatusShown;
  readonly series: SeriesAnswer;
  readonly span: SpanName;
  /** The newest first. */
  readonly newest: readonly AlertRow[];
  /** Where newer ones come from. */
  readonly live: string;
}

export function Overview({ frame, status, series, span, newest, live }: OverviewProps) {
  return (
    <Document title="Overview" frame={frame} assets={frame.assets} here="/">
      <div class="head">
        <h1>What saker sees now</h1>
        <p class="note">
          {"Plots of the last "}
          {SPAN_NAMES.map((name) => (
            <>
              {name === span
                ? <strong aria-current="true">{SPANS[name].words}</strong>
                : <a href={name === "minutes" ? "/" : `/?span=${name}`}>{SPANS[name].words}</a>}
              {" "}
            </>
          ))}
        </p>
      </div>
      <Troubles status={status} />
      <section aria-label="Numbers" class="tiles" data-now={`/page/now?span=${span}`}>
        {tilesOf(status, series).map((tile) => <TileShown tile={tile} span={span} />)}
      </section>
      <section class="panel">
        <div class="head">
          <h2>Newest alerts</h2>
          <p class="note">
            <a href="/page/alerts">All alerts</a>
          </p>
        </div>
        <AlertRows rows={newest} live={live} keeps={10}>
          No alert so far. When a rule matches, its alert stands here within a second.
        </AlertRows>
      </section>
      <Losses status={status} />
      <Busiest status={status} />
      <Outputs status={status} />
      <p class="note">
        {`saker ${shown(status.saker_version)}. The numbers as JSON: `}
        <a href="/status">/status</a>, <a href="/series">/series</a>
        {", for Prometheus "}
        <a href="/metrics">/metrics</a>.
      </p>
    </Document>
  );
}

function Troubles({ status }: { readonly status: StatusShown }) {
  const { reason, degraded, driver } = status;
  const told = [...new Set([...(reason === undefined ? [] : [reason]), ...degraded])];
  const unseen = driver.programs.refused.map(({ program, reason }) =>
    `This kernel refuses the program ${program}: ${reason}`
  );
  const lines = [...told, ...unseen];
  if (lines.length === 0) return null;
  const isBad = status.status === "blind" || status.status === "failing";
  return (
    <section class={isBad ? "panel trouble bad" : "panel trouble"} aria-label="What is amiss">
      <h2>{isBad ? "saker does not do its work" : "Less is done than was asked"}</h2>
      <ul>{lines.slice(0, 50).map((line) => <li class="value-text">{short(line)}</li>)}</ul>
    </section>
  );
}

function TileShown({ tile, span }: { readonly tile: Tile; readonly span: SpanName }) {
  const { name, title, value, note, isBad = false, plot } = tile;
  return (
    <div class="tile">
      <h2>{title}</h2>
      <p class={isBad ? "value bad" : "value"} data-text={`${name}.value`}>{value}</p>
      <p class="note" data-text={`${name}.note`}>{note}</p>
      {plot === undefined ? null : (
        <>
          <Plot
            name={name}
            title={title}
            values={plot.values}
            unit={plot.unit}
            isLoss={plot.isLoss ?? false}
          />
          <div class="ends">
            <span>{`last ${SPANS[span].words}`}</span>
            <span data-text={`${name}.top`}>{topOf(plot)}</span>
          </div>
        </>
      )}
    </div>
  );
}

const SPAN_NAMES = Object.keys(SPANS) as SpanName[];
const LOSSES_SHOWN = 20;

function Losses({ status }: { readonly status: StatusShown }) {
  const entries = status.lost.journal?.entries ?? [];
  if (entries.length === 0) return null;
  return (
    <section class="panel">
      <h2>When events were lost</h2>
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">Between (UTC)</th>
            <th scope="col" class="number">Critical</th>
            <th scope="col" class="number">Bulk</th>
            <th scope="col">Which</th>
          </tr>
        </thead>
        <tbody>
          {[...entries].reverse().slice(0, LOSSES_SHOWN).map((entry) => (
            <tr>
              <td>
                {`${dayOf(entry.from)} ${clockOf(entry.from)} – ${clockOf(entry.until)}`}
              </td>
              <td class="number" data-label="Critical">{count(entry.critical)}</td>
              <td class="number" data-label="Bulk">{count(entry.bulk)}</td>
              <td data-label="Which">
                {Object.entries(entry.by_event).map(([event, lost]) => `${event} ${count(lost)}`)
                  .join(", ")}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const BUSIEST_SHOWN = 8;

function Busiest({ status }: { readonly status: StatusShown }) {
  const rows = status.processes?.list.slice(0, BUSIEST_SHOWN) ?? [];
  if (rows.length === 0) return null;
  return (
    <section class="panel">
      <h2>Busiest processes</h2>
      <p class="note">
        {`Events that were judged in the ${
          age(status.processes!.seconds)
        } before this page was made.`}
      </p>
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">Process</th>
            <th scope="col">Program</th>
            <th scope="col">Container</th>
            <th scope="col" class="number">Events a second</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ pid, name, exepath, container, per_second }) => (
            <tr>
              <th scope="row" class="value-text">{`${short(name, 60) || "?"} (${pid})`}</th>
              <td class="mono value-text">{short(exepath, 160)}</td>
              <td class="mono value-text">{short(container, 40)}</td>
              <td class="number" data-label="Events a second">{count(per_second)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Outputs({ status }: { readonly status: StatusShown }) {
  return (
    <section class="panel">
      <h2>Where alerts go</h2>
      {status.outputs.length === 0
        ? <p class="note">No output is configured.</p>
        : (
          <table class="cards">
            <thead>
              <tr>
                <th scope="col">Output</th>
                <th scope="col">State</th>
                <th scope="col" class="number">Written</th>
                <th scope="col" class="number">Waiting</th>
                <th scope="col" class="number">Dropped</th>
              </tr>
            </thead>
            <tbody>
              {status.outputs.map((output) => (
                <tr>
                  <th scope="row">{shown(output.name)}</th>
                  <td>
                    <span class="pill" data-state={output.state}>{output.state}</span>
                    {output.reason === undefined
                      ? null
                      : <div class="note">{short(output.reason)}</div>}
                  </td>
                  <td class="number" data-label="Written">{count(output.written)}</td>
                  <td class="number" data-label="Waiting">{count(output.waiting)}</td>
                  <td class="number" data-label="Dropped">{count(output.dropped)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
    </section>
  );
}
