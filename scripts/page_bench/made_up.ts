// A page with alerts that never were, for pictures and for measuring the page itself: no process of
// this machine is on it.
import { JSON_FORMAT } from "../../src/alerts/format/format_fixture.ts";
import type { Alert } from "../../src/engine/contract/alert.ts";
import type { Moment } from "../../src/engine/contract/dossier.ts";
import type { RuleRecord } from "../../src/rules/rule_account.ts";
import { makeApp } from "../../src/server/app.ts";
import type { HealthReport } from "../../src/server/health.ts";
import { SERIES, STATUS } from "../../src/server/page/status_fixture.ts";
import { Rights } from "../../src/server/rights.ts";
import { serve, type Server } from "../../src/server/serve.ts";
import { Sessions } from "../../src/server/sessions.ts";
import { AlertStream } from "../../src/server/stream/alert_stream.ts";

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

const START_MS = Date.UTC(2026, 10, 27, 3, 11, 0);

const MOMENT: Moment = {
  fields: ["openat", "/usr/bin/tar", "sh", "registry.example/shop/backend"],
  processes: [
    process(4711, "tar", "/usr/bin/tar", "tar czf /tmp/.c.tgz /etc/shadow", 7),
    process(4710, "sh", "/usr/bin/dash", "sh -c tar czf /tmp/.c.tgz /etc/shadow", 7),
    process(4321, "node", "/usr/local/bin/node", "node /srv/shop/server.js", 2),
    { ...process(4200, "containerd-shim", "/usr/bin/containerd-shim", "", 0), listed: true },
    {
      ...process(1, "systemd", "/usr/lib/systemd/systemd", "/sbin/init", 0),
      listed: true,
      between: -1,
    },
  ],
  answers: "11110",
  values: ['"openat"', '"/etc/shadow"', '"/usr/bin/tar"'],
};

function process(pid: number, name: string, exepath: string, cmdline: string, minute: number) {
  return { pid, name, exe: exepath, exepath, cmdline, startedMs: START_MS + minute * 60_000 };
}

const KINDS = [
  [4, RECORD.name, "Sensitive file read (file=/etc/shadow command=tar czf /tmp/.c.tgz /etc/shadow"],
  [5, "Setuid or setgid bit set", "Setuid bit set (file=/usr/local/bin/job command=chmod u+s"],
  [2, "Shell runs on a network connection", "Shell on a connection (peer=203.0.113.9:4444"],
  [6, "Scheduled job changed by its own program", "Scheduled job changed (file=/etc/cron.d/logs"],
  [4, "Program run from a temporary directory", "Program run (program=/tmp/.x/kworker"],
] as const;

export function madeUpAlert(at: number, atMs = START_MS): Alert {
  const [priority, rule, message] = KINDS[at % KINDS.length]!;
  return {
    hostname: STATUS.hostname,
    message: `${message} user=www-data container=shop-backend)`,
    outputFields: [["fd.name", "/etc/shadow"], ["proc.cmdline", "tar czf /tmp/.c.tgz /etc/shadow"]],
    priority,
    rule,
    source: "syscall",
    tags: ["filesystem", "mitre_credential_access"],
    time: BigInt(atMs) * 1_000_000n + BigInt(at) * 1_730_000_000n,
    sequence: at + 1,
    degraded: false,
    ...(rule === RECORD.name
      ? { dossier: { record: RECORD, moment: JSON.stringify(MOMENT) } }
      : {}),
  };
}

export function servePage(): { readonly server: Server; readonly alerts: AlertStream } {
  const alerts = new AlertStream({ format: JSON_FORMAT });
  const sessions = new Sessions();
  const app = makeApp({
    healthPath: "/healthz",
    health: () => ({ status: "ok" }) as HealthReport,
    versions: () => ({}),
    rights: new Rights({ token: undefined, insecure: true, mayAct: [0], sessions }),
    status: () => STATUS as unknown as Record<string, unknown>,
    series: () => SERIES,
    alerts,
    page: { sessions, propose: () => Promise.resolve({ error: "this page is made up" }) },
  });
  return { server: serve(app, { address: "127.0.0.1", port: 0 }), alerts };
}
