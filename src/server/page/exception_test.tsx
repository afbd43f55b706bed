// The page of exceptions: what is proposed for an alert, what is not and why, and what is pending.
import { doesNotMatch, match, ok, strictEqual } from "node:assert";
import type { Tuning } from "../../tune/proposal.ts";
import { madeUpAlert } from "./alert_fixture.ts";
import { documentText } from "./document.tsx";
import { ExceptionPage } from "./exception.tsx";

const FRAME = { hostname: "h", state: "ok", csrf: undefined, assets: "/page/assets/x" };

const TUNING: Tuning = {
  proposals: [{
    rule: "A rule",
    level: "care",
    name: "x",
    parts: [],
    yaml: "- rule: A rule\n  exceptions:\n    - name: <b>x</b>\n",
    text: "",
    silenced: 3,
    alerts: [0, 2],
    evidence: {
      alerts: 3,
      first: undefined,
      last: undefined,
      processes: 1,
      users: 1,
      containers: 0,
      hosts: 1,
      examples: [],
    },
    warnings: ["whoever may write <there>"],
    open: ["all of its files"],
    told: [],
    forFalco: false,
  }],
  refusals: [
    { rule: "A rule", subject: "/usr/bin/cat", alerts: 2, tempting: ["proc.name"], why: ["w"] },
    { rule: "A rule", subject: "/usr/bin/other", alerts: 2, tempting: [], why: ["not asked"] },
  ],
  lacking: [],
  advice: [],
  alerts: 5,
  quietAlready: 0,
  few: 0,
  withCare: 0,
  unknownRules: new Map(),
  remaining: 2,
};

function pageOf(tuning: Tuning | { readonly error: string } | "pending", place = 0): string {
  return documentText(
    <ExceptionPage
      frame={FRAME}
      alert={madeUpAlert()}
      tuning={tuning}
      place={place}
      program="/usr/bin/cat"
    />,
  );
}

Deno.test("a proposal is shown with what to mind, and as text", () => {
  const text = pageOf(TUNING);
  match(text, /Proposal 1[^]*only with care[^]*&lt;b&gt;x&lt;\/b&gt;/);
  match(text, /3 alerts[^]*all of its files[^]*whoever may write &lt;there&gt;[^]*saker alone/);
  match(text, /2 alerts by \/usr\/bin\/cat: w\.[^]*Tempting, and wrong: proc\.name\./);
  doesNotMatch(text, /not asked|<b>/);
});

Deno.test("that none is proposed for this alert is said, not hidden behind those of others", () => {
  const text = pageOf(TUNING, 1);
  match(text, /No exception is proposed for it/);
  doesNotMatch(text, /Proposal 1/);
});

Deno.test("what is pending is looked for again, what failed is told", () => {
  const pending = pageOf("pending");
  match(pending, /http-equiv="refresh" content="1; url=\/page\/alerts\/[0-9a-f-]+\/exception"/);
  ok(!pending.includes("Proposal"));
  match(pageOf({ error: "no rules" }), /Nothing could be proposed[^]*no rules/);
  strictEqual(pageOf(TUNING).includes("refresh"), false);
});
