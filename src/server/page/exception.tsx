// Exceptions that would silence an alert, for a person to read and take: each with what it
// silences, what it leaves open and what to mind; and what is not proposed, and why.
import type { Proposal, Refusal, Tuning } from "../../tune/proposal.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import { visibleText } from "../../words/visible.ts";
import { AskedPage } from "./asked_page.tsx";
import type { Frame } from "./document.tsx";
import { many, short, shown } from "./shown.ts";

export interface ExceptionProps {
  readonly frame: Frame;
  readonly alert: Alert;
  /** What came of it, or why nothing did. */
  readonly tuning: Tuning | { readonly error: string } | "pending";
  /** The place of the alert among those that were given. */
  readonly place: number;
  /** The file that its process runs, "" where that is unknown. */
  readonly program: string;
}

export function ExceptionPage({ frame, alert, tuning, place, program }: ExceptionProps) {
  return (
    <AskedPage
      {...{ frame, alert }}
      title="Exception"
      heading="An exception for this alert"
      place="exception"
      pending={tuning === "pending" ? "It is being worked out." : undefined}
      trouble={tuning !== "pending" && "error" in tuning
        ? { heading: "Nothing could be proposed", text: shown(tuning.error) }
        : undefined}
    >
      {tuning !== "pending" && !("error" in tuning) && <Found {...{ tuning, place, program }} />}
    </AskedPage>
  );
}

function Found({ tuning, place, program }: {
  readonly tuning: Tuning;
  readonly place: number;
  readonly program: string;
}) {
  const { proposals, lacking, advice, alerts } = tuning;
  const own = proposals.filter(({ alerts }) => alerts.includes(place));
  // Those of other programs are for the pages of their alerts.
  const refusals = tuning.refusals.filter(({ subject }) => subject.includes(program));
  const lacks = [...new Set(lacking.flatMap(({ fields }) => fields))];
  return (
    <>
      <p class="note">
        {`Tried on ${
          many(alerts, "alert")
        } of this rule that are held. Nothing is changed by this `}
        page: whoever takes an exception puts it into a file behind the rules.
      </p>
      {own.length === 0
        ? (
          <section class="panel trouble">
            <h2>No exception is proposed for it</h2>
            <p>
              None would silence this alert without helping whoever means harm as well. That is an
              answer, too: the rule does what it is for.
            </p>
          </section>
        )
        : own.map((proposal, at) => <Proposed proposal={proposal} number={at + 1} />)}
      {refusals.length === 0 ? null : <Refusals refusals={refusals} />}
      {lacks.length === 0 ? null : (
        <section class="panel">
          <h2>What the alerts do not tell</h2>
          <p>
            With these fields in its output a better one may be found:{" "}
            <code>{lacks.map((field) => shown(field)).join(", ")}</code>
          </p>
        </section>
      )}
      {advice.length === 0 ? null : (
        <section class="panel">
          <h2>Not a matter of exceptions</h2>
          <ul>{advice.map((words) => <li class="value-text">{shown(words)}</li>)}</ul>
        </section>
      )}
    </>
  );
}

function Proposed({ proposal, number }: {
  readonly proposal: Proposal;
  readonly number: number;
}) {
  const { level, silenced, warnings, open, told, forFalco, yaml } = proposal;
  const isSafe = level === "safe";
  return (
    <section class={isSafe ? "panel" : "panel trouble"}>
      <div class="head">
        <h2>{`Proposal ${number}`}</h2>
        <span class="pill" data-state={isSafe ? "ok" : "degraded"}>
          {isSafe ? "rests on what an intruder cannot choose" : "only with care"}
        </span>
      </div>
      <pre
        tabindex={0}
        aria-label={`Text of proposal ${number}`}
      >{visibleText(yaml.trimEnd())}</pre>
      <dl class="facts">
        <dt>Silences</dt>
        <dd>{many(silenced, "alert")}</dd>
        <Words title="Leaves open" lines={open} />
        <Words title="Still told" lines={told} />
        <Words title="Mind" lines={warnings} />
        {forFalco ? null : (
          <>
            <dt>For</dt>
            <dd>saker alone: Falco does not have these fields</dd>
          </>
        )}
      </dl>
    </section>
  );
}

function Words({ title, lines }: { readonly title: string; readonly lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return (
    <>
      <dt>{title}</dt>
      <dd>{lines.map((line) => <div class="value-text">{shown(line)}</div>)}</dd>
    </>
  );
}

const REFUSALS_SHOWN = 10;

function Refusals({ refusals }: { readonly refusals: readonly Refusal[] }) {
  return (
    <section class="panel">
      <h2>Not proposed</h2>
      {refusals.slice(0, REFUSALS_SHOWN).map(({ subject, alerts, why, tempting }) => (
        <>
          <p class="value-text">
            {`${many(alerts, "alert")} by ${short(subject, 300)}: ${short(why.join("; "), 1000)}.`}
          </p>
          {tempting.map((text) => (
            <p class="note value-text">{`Tempting, and wrong: ${short(text, 600)}.`}</p>
          ))}
        </>
      ))}
    </section>
  );
}
