// What the sieve over captures makes of addresses and ports hides nothing: the same alerts, byte
// for byte, with it and without it, where rules and captures made by chance are about them.
import { deepStrictEqual, ok } from "node:assert";
import { Chance } from "../src/rules/check/condition_fixture.ts";
import { loadTexts, ruleText } from "../src/rules/load_fixture.ts";
import type { ChanceEvent } from "../src/sieve/chance_fixture.ts";
import { endCheck, endCondition } from "../src/sieve/ends_chance_fixture.ts";
import { PutCapture } from "./put_capture.ts";
import { endsByChance } from "./sieve_captures.ts";
import { compared, rulesStart } from "./sieve_runs.ts";

const OUTPUT = '"%evt.num %evt.type %evt.res %fd.num %fd.name %fd.type %fd.cip %fd.cport %fd.sip ' +
  '%fd.sport %fd.lip %fd.rip %fd.l4proto %proc.name"';
/** Calls whose events tell both ends; others only keep the tables right. */
const CALLS = "evt.type in (connect, accept, accept4)";

Deno.test("a replay tells the same with the sieve where rules ask for ends by chance", () => {
  const file = Deno.makeTempFileSync({ suffix: ".scap" });
  const events = 160;
  let [runs, passed, alerts] = [0, 0, 0];
  try {
    for (let seed = 5001; seed < 5161; seed++) {
      const chance = new Chance(seed);
      Deno.writeFileSync(file, endsByChance(chance, events));
      // Most rules ask for several things of the same end, as real ones do.
      const text = Array.from({ length: 1 + chance.below(2) }, (_, at) => {
        const condition = chance.below(3) === 0
          ? `${CALLS} and ${endCondition(chance, 3)}`
          : `${CALLS} and ${endCheck(chance)} and ${endCheck(chance)}`;
        return ruleText(`r${at}`, JSON.stringify(condition), { output: OUTPUT });
      }).join("");
      if (loadTexts([text]).ruleSet === undefined) continue;
      runs++;
      const told = compared([file], rulesStart(text), `seed ${seed} under\n${text}`);
      passed += told.passed;
      alerts += told.alerts.length;
    }
  } finally {
    Deno.removeSync(file);
  }
  ok(runs > 80, `${runs} sound sets of rules`);
  ok(passed > runs * events / 4, `${passed} of ${runs * events} events were passed over`);
  ok(alerts > runs * events / 40, `${alerts} alerts in ${runs} runs`);
});

function pair(from: string, to: string): Uint8Array {
  const end = (text: string) => {
    const [ip, port] = text.split(":");
    return [...ip!.split(".").map(Number), Number(port) & 255, Number(port) >> 8];
  };
  return new Uint8Array([2, ...end(from), ...end(to)]);
}

const UNIX = new Uint8Array([1, ...new Array(16).fill(7), 47, 97, 0]);

function connect(tuple: Uint8Array, res = 0, domain = tuple[0]!): Omit<ChanceEvent, "tid">[] {
  const made = { fd: 3, domain, type: 1, proto: 0, flags: 0 };
  const addr = domain === 2
    ? new Uint8Array([2, ...tuple.subarray(7)])
    : new Uint8Array([1, ...tuple.subarray(17)]);
  return [
    { id: "SOCKET_SOCKET_X", params: made },
    { id: "SOCKET_CONNECT_X", params: { res, tuple, fd: 3, addr } },
    { id: "SYSCALL_CLOSE_X", params: { res: 0, fd: 3 } },
  ];
}

function accept(tuple: Uint8Array, id = "SOCKET_ACCEPT4_6_X"): Omit<ChanceEvent, "tid">[] {
  const params = { fd: 4, tuple, queuepct: 0, queuelen: 0, queuemax: 5 };
  return [
    { id, params: id === "SOCKET_ACCEPT4_6_X" ? { ...params, flags: 0 } : params },
    { id: "SYSCALL_CLOSE_X", params: { res: 0, fd: 4 } },
  ];
}

/**
 * One thread leads sockets somewhere; `events`: after two that begin the capture. Numbers of those
 * that alert, and how many were passed over.
 */
function alertsOf(events: readonly Omit<ChanceEvent, "tid">[], condition: string) {
  using capture = new PutCapture();
  const begin = { id: "SYSCALL_GETUID_X", params: { uid: 0 } };
  for (const { id, params } of [begin, begin, ...events]) {
    capture.put({ id, tid: 10, params });
  }
  const rules = rulesStart(ruleText("r", JSON.stringify(condition), { output: '"%evt.num"' }));
  const { passed, alerts } = compared([capture.file()], rules, condition);
  const numbers = alerts.map((alert) => Number(JSON.parse(alert).output.split(" ").at(-1)));
  return { numbers, passed };
}

Deno.test("a replay passes over connects whose addresses and ports no rule asks for", () => {
  const own = "10.0.0.5:40000";
  const events = [
    ...connect(pair(own, "93.184.216.34:22")), // 4
    ...connect(pair(own, "10.9.9.9:22")),
    ...connect(pair("127.0.0.1:5", "127.0.0.1:22")),
    ...connect(pair("93.184.216.34:22", "10.0.0.7:80")),
    ...connect(pair(own, "93.184.216.34:443")),
    ...connect(pair(own, "93.184.216.34:22"), -115), // 19
    ...connect(pair(own, "93.184.216.34:22"), -111),
    ...connect(UNIX),
    ...connect(UNIX, -2),
  ];
  const { numbers, passed } = alertsOf(
    events,
    'evt.type = connect and fd.typechar in (4, 6) and fd.net != "127.0.0.0/8" and ' +
      'not fd.snet in ("10.0.0.0/8", "192.168.0.0/16") and fd.sport = 22 and ' +
      "(evt.rawres >= 0 or evt.res = EINPROGRESS)",
  );
  deepStrictEqual(numbers, [4, 19]);
  // Neither the other connects nor what made and closed their sockets.
  ok(passed >= 7 * 3, `${passed} events were passed over`);
});

Deno.test("a replay passes over accepts whose clients and servers no rule asks for", () => {
  const events = [
    ...accept(pair("93.184.216.34:5000", "10.0.0.5:80")), // 3
    ...accept(pair("127.0.0.1:5000", "127.0.0.1:80")),
    ...accept(pair("10.0.0.9:5000", "10.0.0.5:80")),
    ...accept(pair("93.184.216.34:5000", "10.0.0.5:443"), "SOCKET_ACCEPT_5_X"),
    ...accept(pair("93.184.216.34:80", "10.0.0.5:81"), "SOCKET_ACCEPT_5_X"),
    ...accept(UNIX),
    ...accept(pair("93.184.216.35:1", "10.0.0.5:80"), "SOCKET_ACCEPT_5_X"), // 15
  ];
  const { numbers, passed } = alertsOf(
    events,
    'evt.type in (accept, accept4) and not fd.cnet in ("10.0.0.0/8", "127.0.0.0/8") and ' +
      "fd.sport = 80 and fd.type = ipv4",
  );
  deepStrictEqual(numbers, [3, 15]);
  ok(passed >= 5 * 2, `${passed} events were passed over`);
});

Deno.test("a replay keeps connects of sockets that had other ends, either way round", () => {
  const [one, other] = ["10.0.0.5:40000", "93.184.216.34:53"];
  const socket = (type: number) => ({
    id: "SOCKET_SOCKET_X",
    params: { fd: 3, domain: 2, type, proto: 0, flags: 0 },
  });
  const lead = (tuple: Uint8Array) => ({
    id: "SOCKET_CONNECT_X",
    params: { res: 0, tuple, fd: 3, addr: new Uint8Array([2, ...tuple.subarray(7)]) },
  });
  const bind = {
    id: "SOCKET_BIND_X",
    params: { res: 0, addr: new Uint8Array([2, ...pair(one, one).subarray(1, 7)]), fd: 3 },
  };
  // A datagram socket that is bound is the server's; one that was led there has the ends it had.
  const { numbers } = alertsOf(
    [
      socket(2),
      bind,
      lead(pair(one, other)),
      socket(1),
      lead(pair(other, one)),
      lead(
        pair(one, other),
      ),
      lead(new Uint8Array(13).fill(2, 0, 1)),
    ],
    `evt.type = connect and fd.cip = 93.184.216.34`,
  );
  deepStrictEqual(numbers, [5, 7, 8]);
});
