// Messages to a real datagram socket, as a syslog daemon has it.
import { deepStrictEqual, match, strictEqual } from "node:assert";
import { type LogSettings, logTo } from "./log.ts";
import { SyslogLog } from "./syslog_log.ts";
import { terminalOver } from "./terminal.ts";

const SETTINGS: LogSettings = {
  log_stderr: true,
  log_syslog: true,
  log_level: "info",
  log_format: "text",
};

/** What a log with these settings writes to standard error and to syslog. */
function logged(changes: Partial<LogSettings>) {
  const written = { error: "", syslog: [] as [number, string][] };
  const terminal = terminalOver({
    out: () => {},
    error: (bytes) => void (written.error += new TextDecoder().decode(bytes)),
    syslog: (severity, text) => void written.syslog.push([severity, text]),
    outIsTerminal: false,
    errorIsTerminal: false,
    environment: () => undefined,
  });
  const log = logTo(() => ({ ...SETTINGS, ...changes }), terminal);
  log.warning("Warning: one");
  log.info("two");
  log.debug("three");
  return written;
}

Deno.test("lines arrive at a syslog socket with facility, severity and name", async () => {
  const path = `${Deno.makeTempDirSync()}/log`;
  const daemon = Deno.listenDatagram({ transport: "unixpacket", path });
  const failures: string[] = [];
  const log = new SyslogLog({ path, pid: 42, onFailure: (line) => failures.push(line) });
  log.write(4, "Warning: one\nand more");
  log.write(6, "two");
  await log.flushed();
  const heard: string[] = [];
  for (let at = 0; at < 2; at++) {
    heard.push(new TextDecoder().decode((await daemon.receive())[0]));
  }
  // user is facility 1: 8 + 4, 8 + 6.
  match(heard[0]!, /^<12>[A-Z][a-z]{2} [ \d]\d [\d:]{8} saker: Warning: one/);
  match(heard[1]!, /^<14>.* saker: two$/);
  deepStrictEqual([failures, log.lost], [[], 0]);
  log.close();
  daemon.close();
  Deno.removeSync(path.replace(/\/log$/, ""), { recursive: true });
});

Deno.test("a socket that is not there is told once, and what is lost is counted", async () => {
  const failures: string[] = [];
  const log = new SyslogLog({
    path: "/nowhere/log",
    pid: 1,
    onFailure: (line) => failures.push(line),
  });
  for (let at = 0; at < 1_500; at++) log.write(6, "x");
  await log.flushed();
  strictEqual(failures.length, 1);
  match(failures[0]!, /^Notice: log_syslog: \/nowhere\/log: there is no such file/);
  strictEqual(log.lost, 1_500);
  log.close();
});

Deno.test("level, format and ways of the log are those of the configuration", () => {
  deepStrictEqual(logged({}), {
    error: "Warning: one\ntwo\n",
    syslog: [[4, "Warning: one"], [6, "two"]],
  });
  deepStrictEqual(logged({ log_level: "error", log_syslog: false }), { error: "", syslog: [] });
  strictEqual(logged({ log_level: "debug", log_stderr: false }).syslog.length, 3);
  const lines = logged({ log_format: "json" }).error.trim().split("\n")
    .map((line) => JSON.parse(line));
  deepStrictEqual(lines.map(({ level, message }) => [level, message]), [
    ["warning", "one"],
    ["info", "two"],
  ]);
  match(lines[0].time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});
