// Alerts on terminals of different widths: one line where all fits, the rule above its output where
// it does not, nothing wider than the terminal.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { toldAlert } from "../../client/told_alert.ts";
import { columnsOf } from "../../screen/columns.ts";
import { lineText } from "../../screen/line.ts";
import { visibleText } from "../../words/visible.ts";
import { timeOf } from "../commands/alerts_flags.ts";
import { alertLines, clock } from "./alert_text.ts";

/** Escapes of colours, which are the only ones that may be there. */
function withoutColours(text: string): string {
  return text.split("\x1b[").map((part, at) => at === 0 ? part : part.replace(/^[\d;]*m/, ""))
    .join("");
}

const NOW = new Date(2026, 10, 27, 4, 30, 0).getTime();

function shown(columns: number, more: Readonly<Record<string, unknown>> = {}, colour = false) {
  const line = JSON.stringify({
    time: new Date(2026, 10, 27, 4, 20, 18).toISOString(),
    priority: "Warning",
    rule: "Shell in a box",
    message: "Shell in a box (file=/etc/shadow user=root)",
    ...more,
  });
  return alertLines(toldAlert(line)!, columns, NOW).map((line) => {
    const text = lineText(line, columns, colour);
    ok(columnsOf(withoutColours(text)) <= columns, JSON.stringify(text));
    return text;
  });
}

Deno.test("an alert is one line where it fits, else its rule stands above what it says", () => {
  deepStrictEqual(shown(80), ["04:20:18 Warning Shell in a box  file=/etc/shadow user=root"]);
  deepStrictEqual(shown(40), ["04:20:18 Warning Shell in a box", "  file=/etc/shadow user=root"]);
  deepStrictEqual(shown(24), [
    "04:20:18 Warning Shell",
    "  in a box",
    "  file=/etc/shadow",
    "  user=root",
  ]);
});

Deno.test("what does not begin with its rule's name is shown whole, loss is told", () => {
  deepStrictEqual(shown(80, { message: "Something else" }), [
    "04:20:18 Warning Shell in a box  Something else",
  ]);
  deepStrictEqual(shown(90, { degraded: true, message: "" }), [
    "04:20:18 Warning Shell in a box  (events were lost before it)",
  ]);
  strictEqual(
    shown(80, { time: new Date(2026, 9, 1, 22, 5, 0).toISOString() })[0]!.slice(0, 19),
    "2026-10-01 22:05:00",
  );
});

Deno.test("an alert has its number, by which it can be asked for", () => {
  deepStrictEqual(shown(80, { seq: 12 }), [
    "04:20:18 Warning Shell in a box #12  file=/etc/shadow user=root",
  ]);
  deepStrictEqual(shown(36, { seq: 12 })[0], "04:20:18 Warning Shell in a box #12");
  deepStrictEqual(shown(33, { seq: 12 }).slice(0, 2), ["04:20:18 Warning Shell in a box", "  #12"]);
});

Deno.test("hostile names do nothing, at any width", () => {
  const message = `Shell in a box (file=/tmp/\x1b]0;x\x07\n\u202e名前${"名".repeat(60)} x)`;
  for (const columns of [10, 24, 40, 80, 200]) {
    const lines = shown(columns, { message, rule: `名${"前".repeat(30)}` }, true);
    const text = withoutColours(lines.join("\n"));
    strictEqual(visibleText(text), text);
    ok(!text.includes("\t"), JSON.stringify(text));
  }
});

Deno.test("--since takes a time ago, a time of the last day, a date", () => {
  strictEqual(timeOf("10m", NOW), NOW - 600_000);
  strictEqual(timeOf("1h30m", NOW), NOW - 5_400_000);
  strictEqual(clock(timeOf("04:29", NOW)!), "04:29:00");
  strictEqual(timeOf("22:15:07", NOW), new Date(2026, 10, 26, 22, 15, 7).getTime());
  strictEqual(timeOf("2026-11-01", NOW), new Date(2026, 10, 1).getTime());
  strictEqual(timeOf("2026-11-01 07:00", NOW), new Date(2026, 10, 1, 7).getTime());
  strictEqual(timeOf("2026-11-01T07:00:01.5Z", NOW), Date.UTC(2026, 10, 1, 7, 0, 1, 500));
  for (const none of ["", "soon", "25:00", "12:60", "2026-13-01T00:00", "yesterday", "0s"]) {
    strictEqual(timeOf(none, NOW), undefined, none);
  }
});
