// The events around an alert's, from the capture that has them: those of its process, or of all.
import { isoTimeUtc } from "../../alerts/format/time.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import type { Around, AroundFound, EventAround } from "../../engine/contract/around.ts";
import { alertPath, rowOf } from "./alert_rows.tsx";
import { AskedPage } from "./asked_page.tsx";
import type { Frame } from "./document.tsx";
import { short, shown } from "./shown.ts";

export interface EventsProps {
  readonly frame: Frame;
  readonly alert: Alert;
  /** The capture. */
  readonly file: string;
  readonly found: Around | "pending";
  readonly ofAll: boolean;
}

export function EventsPage({ frame, alert, file, found, ofAll }: EventsProps) {
  const isThere = found !== "pending" && !("error" in found);
  return (
    <AskedPage
      {...{ frame, alert }}
      title="Events around it"
      heading="The events around it"
      place={`events${ofAll ? "?of=all" : ""}`}
      pending={found === "pending" ? "The capture is being read." : undefined}
      trouble={found !== "pending" && "error" in found
        ? {
          heading: "The events cannot be shown",
          text: `${shown(file)}: ${shown(found.error)}.`,
        }
        : undefined}
    >
      {isThere && (
        <Found {...{ found, file, ofAll }} here={`${alertPath(rowOf(alert).id)}/events`} />
      )}
    </AskedPage>
  );
}

function Found({ found, file, here, ofAll }: {
  readonly found: AroundFound;
  readonly file: string;
  readonly here: string;
  readonly ofAll: boolean;
}) {
  const events = ofAll ? found.ofAll : found.ofProcess;
  const views = [[here, "Of its process", !ofAll], [`${here}?of=all`, "Of all", ofAll]] as const;
  return (
    <section class="panel" aria-label="Events">
      <p class="row">
        {views.map(([href, name, isHere]) => (
          <a class="button" href={href} {...(isHere ? { "aria-current": "page" } : {})}>{name}</a>
        ))}
        <a href="#own">To the alert’s own</a>
      </p>
      {found.remarks.map((remark) => <p class="note">{remark}</p>)}
      <table class="cards events">
        <thead>
          <tr>
            <th scope="col">Time (UTC)</th>
            <th scope="col" class="number">Number</th>
            <th scope="col">Process</th>
            <th scope="col">Event</th>
            <th scope="col">Arguments</th>
          </tr>
        </thead>
        <tbody>{events.map((event) => <Row event={event} />)}</tbody>
      </table>
      <p class="note value-text">
        {`From ${shown(file)}, numbered as saker replay numbers them. `}
        No more than twenty before the alert’s and twenty behind it are shown.
      </p>
    </section>
  );
}

function Row({ event }: { readonly event: EventAround }) {
  const { number, time, pid, tid, name, type, args, isAlerts } = event;
  const iso = isoTimeUtc(time);
  const who = pid === undefined ? "none" : `${short(name, 60)} (${pid})`;
  return (
    <tr {...(isAlerts ? { id: "own", class: "own", "aria-current": "true" } : {})}>
      <td data-label="Time">
        <time datetime={iso}>{iso.slice(11).replace(/Z$/, "")}</time>
      </td>
      <td class="number" data-label="Number">{number}</td>
      <td data-label="Process">
        <span class="value-text">{who}</span>
        {tid === undefined || tid === pid ? null : <span class="dim">{` thread ${tid}`}</span>}
      </td>
      <td data-label="Event">
        <span class="value-text">{shown(type)}</span>
        {isAlerts ? <span class="pill">the alert’s</span> : null}
      </td>
      <td class="mono value-text arguments">{shown(args)}</td>
    </tr>
  );
}
