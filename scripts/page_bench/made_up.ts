// A page with alerts that never were, for pictures and for measuring the page itself: no process of
// this machine is on it.
import { JSON_FORMAT } from "../../src/alerts/format/format_fixture.ts";
import type { Alert } from "../../src/engine/contract/alert.ts";
import type { Moment } from "../../src/engine/contract/dossier.ts";
import type { RuleRecord } from "../../src/rules/rule_account.ts";
import { makeApp } from "../../src/server/app.ts";
import type { HealthReport } from "../../src/server/health.ts";
import { SERIES, STATUS } from "../../src/server/page/status_fixture.ts";
import type { StatusShown } from "../../src/server/page/status_shown.ts";
import { Rights } from "../../src/server/rights.ts";
import { serve, type Server } from "../../src/server/serve.ts";
import { Sessions } from "../../src/server/sessions.ts";
import { AlertStream } from "../../src/server/stream/alert_stream.ts";
import type { SeriesAnswer } from "../../src/server/told/answers.ts";

const TEXT = `- rule: Sensitive file read by an untrusted program
  desc: A file that holds secrets was read by a program that has no business with it.
  condition: >
    open_read and fd.name in (sensitive_files)
    and not proc.exepath in (trusted_programs)
  output: Sensitive file read (file=%fd.name command=%proc.cmdline user=%user.name)
  priority: WARNING
  tags: [filesystem, mitre_credential_access]
`;

const RECORD: RuleRecord = {
  name: "Sensitive file read by an untrusted program",
  source: "syscall",
  priority: 4,
  tags: ["filesystem", "mitre_credential_access"],
  description: "A file that holds secrets was read by a program that has no business with it.",
  file: "/etc/saker/rules.d/files.yaml",
  line: 42,
  text: TEXT,
  alsoAt: [],
  condition: "open_read and fd.name in (…) and not proc.exepath in (…)",
  output: "Sensitive file read (file=%fd.name command=%proc.cmdline user=%user.name)",
  fieldNames: ["evt.type", "proc.exepath", "proc.pname", "container.image.repository"],
  parts: [
    { kind: "and", children: 3 },
    { kind: "check", children: 0, macro: "open_read", text: "evt.type = openat", operands: [0] },
    { kind: "check", children: 0, text: "fd.name in (/etc/shadow, /etc/sudoers)", operands: [1] },
    { kind: "not", children: 1 },
    { kind: "check", children: 0, text: "proc.exepath in (/usr/sbin/sshd)", operands: [2] },
  ],
  partsCut: 0,
  operands: ["evt.type", "fd.name", "proc.exepath"],
};

/** Of the first alert; the series of the overview ends some seconds after the 26th. */
const START_MS = Date.UTC(2026, 10, 27, 3, 10, 5);
const APART_MS = 22_610;
const COUNT = 26;
const [SECOND_MS, HOUR_MS] = [1_000, 3_600_000];

/** Not like a clock. */
function msOf(at: number): number {
  return START_MS + at * APART_MS + (at * 7_919 % 17) * SECOND_MS;
}

/** What was known when a process that had just been started read a file. */
function momentAt(alertMs: number): Moment {
  const process = (pid: number, name: string, exepath: string, cmdline: string, ageMs: number) => {
    return { pid, name, exe: exepath, exepath, cmdline, startedMs: alertMs - ageMs };
  };
  const shim = process(4200, "containerd-shim", "/usr/bin/containerd-shim", "", 31 * HOUR_MS);
  const first = process(1, "systemd", "/usr/lib/systemd/systemd", "/sbin/init", 220 * HOUR_MS);
  const command = "tar czf /tmp/.c.tgz /etc/shadow";
  return {
    fields: ["openat", "/usr/bin/tar", "sh", "registry.example/shop/backend"],
    processes: [
      process(4711, "tar", "/usr/bin/tar", command, 3),
      process(4710, "sh", "/usr/bin/dash", `sh -c ${command}`, 8),
      process(
        4321,
        "node",
        "/usr/local/bin/node",
        "node /srv/shop/server.js",
        31 * HOUR_MS - 2 * SECOND_MS,
      ),
      { ...shim, listed: true },
      { ...first, listed: true, between: -1 },
    ],
    answers: "11110",
    values: ['"openat"', '"/etc/shadow"', '"/usr/bin/tar"'],
  };
}

const KINDS = [
  [4, RECORD.name, "Sensitive file read (file=/etc/shadow command=tar czf /tmp/.c.tgz /etc/shadow"],
  [5, "Setuid or setgid bit set", "Setuid bit set (file=/usr/local/bin/job command=chmod u+s"],
  [2, "Shell runs on a network connection", "Shell on a connection (peer=203.0.113.9:4444"],
  [6, "Scheduled job changed by its own program", "Scheduled job changed (file=/etc/cron.d/logs"],
  [4, "Program run from a temporary directory", "Program run (program=/tmp/.x/kworker"],
] as const;

export function madeUpAlert(at: number): Alert {
  const [priority, rule, message] = KINDS[at % KINDS.length]!;
  const atMs = msOf(at);
  const time = BigInt(atMs) * 1_000_000n;
  return {
    hostname: HEALTHY.hostname,
    message: `${message} user=www-data container=shop-backend)`,
    outputFields: [
      ["evt.time", time],
      ["fd.name", "/etc/shadow"],
      ["proc.cmdline", "tar czf /tmp/.c.tgz /etc/shadow"],
    ],
    priority,
    rule,
    source: "syscall",
    tags: ["filesystem", "mitre_credential_access"],
    time,
    sequence: at + 1,
    degraded: false,
    ...(rule === RECORD.name
      ? { dossier: { record: RECORD, moment: JSON.stringify(momentAt(atMs)) } }
      : {}),
  };
}

export function madeUpAlerts(): Alert[] {
  return Array.from({ length: COUNT }, (_, at) => madeUpAlert(at));
}

const { reason: _, ...RIGHT } = STATUS;
/** All is as it should be. */
const HEALTHY: StatusShown = {
  ...RIGHT,
  status: "ok",
  degraded: [],
  driver: { name: "modern_ebpf", programs: { attached: 96, wanted: 96, refused: [] } },
  lost: {
    per_second: 0,
    by_lane: { critical: 0, bulk: 0 },
    by_event: {},
    journal: { entries: [], left_off: 0 },
  },
  alerts: { raised: COUNT, per_second: 0, dropped: 0 },
  latency_ms: {
    ...STATUS.latency_ms,
    alert_to_output: { count: COUNT, p50: 0.9, p99: 4.2, max: 11 },
  },
  outputs: STATUS.outputs.map(({ name }) => {
    return { name, state: "ok", waiting: 0, written: COUNT, dropped: 0 };
  }),
};
const SECONDS = new Set(
  Array.from({ length: COUNT }, (_, at) => Math.trunc(msOf(at) / 1000)),
);
const fired = (ms: number) => SECONDS.has(Math.trunc(ms / 1000));
const HEALTHY_SERIES: SeriesAnswer = {
  ...SERIES,
  lost_critical: SERIES.at_ms.map(() => 0),
  lost_bulk: SERIES.at_ms.map(() => 0),
  alerts: SERIES.at_ms.map((ms) => fired(ms) ? 1 : 0),
  alert_to_output_p50: SERIES.at_ms.map((ms) => fired(ms) ? 0.9 : null),
  alert_to_output_p99: SERIES.at_ms.map((ms, at) => fired(ms) ? 1.5 + (at % 7) / 3 : null),
};

export function servePage(): { readonly server: Server; readonly alerts: AlertStream } {
  const alerts = new AlertStream({ format: JSON_FORMAT });
  const sessions = new Sessions();
  const app = makeApp({
    healthPath: "/healthz",
    health: () => ({ status: "ok" }) as HealthReport,
    versions: () => ({}),
    rights: new Rights({ token: undefined, insecure: true, mayAct: [0], sessions }),
    status: () => HEALTHY as unknown as Record<string, unknown>,
    series: () => HEALTHY_SERIES,
    alerts,
    page: { sessions, propose: () => Promise.resolve({ error: "this page is made up" }) },
  });
  return { server: serve(app, { address: "127.0.0.1", port: 0 }), alerts };
}
