import { deepStrictEqual, ok, strictEqual } from "node:assert";
import type { Alert } from "../../engine/contract/alert.ts";
import { type Envelope, type FleetFilter, fleetFilter } from "./fleet_filter.ts";

function filterOf(query: string): FleetFilter {
  const filter = fleetFilter(new URLSearchParams(query));
  if ("error" in filter) throw new Error(filter.error);
  return filter;
}

function alertAt(time: string, hostname = "a"): Alert {
  const [whole, digits = ""] = time.replace("Z", "").split(".");
  const ns = BigInt(Date.parse(`${whole}Z`)) * 1_000_000n + BigInt(digits.padEnd(9, "0"));
  return {
    hostname,
    message: "m",
    outputFields: [],
    priority: 4,
    rule: "R",
    source: "syscall",
    tags: [],
    time: ns,
    sequence: 1,
    degraded: false,
  };
}

const envelope = (text: string, headers: Readonly<Record<string, string>> = {}): Envelope => ({
  header: (name) => headers[name] ?? "",
  text: () => text,
});

Deno.test("times take what they name, to its end, in UTC", () => {
  const taken = (query: string, time: string) => filterOf(query).takes(alertAt(time));
  ok(taken("from=2026-01-31T22:15", "2026-01-31T22:15:00Z"));
  ok(!taken("from=2026-01-31T22:15", "2026-01-31T22:14:59.999999999Z"));
  ok(taken("to=2026-01-31T22:15", "2026-01-31T22:15:59.999999999Z"));
  ok(!taken("to=2026-01-31T22:15", "2026-01-31T22:16:00Z"));
  ok(taken("to=2026-01-31", "2026-01-31T23:59:59.999999999Z"));
  ok(!taken("to=2026-01-31", "2026-02-01T00:00:00Z"));
  ok(taken("to=2026-01-31T22:15:07.5Z", "2026-01-31T22:15:07.599999999Z"));
  ok(!taken("to=2026-01-31T22:15:07.5Z", "2026-01-31T22:15:07.6Z"));
  ok(taken("from=&to=", "2026-01-31T22:15:07Z"));
});

Deno.test("hosts are named whole", () => {
  const filter = filterOf("host=web.1");
  strictEqual(filter.host, "web.1");
  ok(filter.takes(alertAt("2026-01-31T22:15:07Z", "web.1")));
  ok(!filter.takes(alertAt("2026-01-31T22:15:07Z", "web.10")));
});

Deno.test("what is wrong is said", () => {
  const errorOf = (query: string) => {
    const filter = fleetFilter(new URLSearchParams(query));
    return "error" in filter ? filter.error : undefined;
  };
  const expected = "expected a time such as 2026-01-31T22:15";
  strictEqual(errorOf("from=yesterday"), `from "yesterday": ${expected}`);
  strictEqual(errorOf("to=2026-13-01"), `to "2026-13-01": ${expected}`);
  strictEqual(
    errorOf("from=2026-01-02&to=2026-01-01"),
    "from: expected a time that is not behind that of to",
  );
  ok(errorOf("hst=a")?.includes("did you mean host?"));
});

Deno.test("a message that cannot be one is not read, one that may be is", () => {
  const may = (query: string, ...of: Parameters<typeof envelope>) =>
    filterOf(query).mayBe(envelope(...of));
  const severe = { "Saker-Priority": "Critical", "Saker-Rule": "A%20rule" };
  deepStrictEqual(
    [
      may("priority=error", "", severe),
      may("priority=error", "", { "Saker-Priority": "Notice" }),
      may("priority=error", ""),
      may("rule=A+rule", "", severe),
      may("rule=Another", "", severe),
      may("rule=Another", ""),
      may("search=SHADOW+cat", '{"a":"cat /etc/shadow"}'),
      may("search=shadow+dog", '{"a":"cat /etc/shadow"}'),
      may("search=shadow", '{"a":"\\u0073hadow"}'),
      // A quote is written in more than one way.
      may('search="', "{}"),
    ],
    [true, false, true, true, false, true, true, false, true, true],
  );
});
