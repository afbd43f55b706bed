// Alerts of real system calls in a stream of NATS, from a host with the probe, beside one whose
// alerts are lines of a log: the server is killed and comes again, the first host is killed
// meanwhile and started anew. Each call is in the stream once, in the order of the calls.
import { deepStrictEqual, strictEqual } from "node:assert";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { NatsServer, noNats } from "../nats_fixture.ts";
import { inOrder } from "../outputs/place.ts";
import { eventually, Saker, type StartOptions } from "./saker.ts";
import { isRoot, Place, python } from "./trigger.ts";

/** Calls of each part; a pause between them, so that a busy machine's ring holds them. */
const CALLS = 200;
const OPEN = `
import os, sys, time
for at in range(int(sys.argv[3]), int(sys.argv[4])):
    os.close(os.open("%s/call-%d" % (sys.argv[2], at), os.O_CREAT | os.O_WRONLY, 0o600))
    time.sleep(0.002)
`;
const PATIENCE_MS = 120_000;

interface Host {
  /** Its alerts of a rule, by its own count. */
  matches(rule: string): Promise<number | undefined>;
  output(): Promise<{ readonly state: string; readonly waiting: number } | undefined>;
}

function hostOf(saker: Saker): Host {
  return {
    async matches(rule) {
      const answer = await fetch(`http://127.0.0.1:${saker.port}/status`);
      const { rules } = await answer.json() as {
        rules: { list: readonly { name: string; matches: number }[] };
      };
      return rules.list.find(({ name }) => name === rule)?.matches;
    },
    async output() {
      const outputs = (await saker.health())?.body["outputs"];
      return (outputs as { name: string; state: string; waiting: number }[] | undefined)
        ?.find(({ name }) => name === "nats");
    },
  };
}

/** Waits until so many calls or lines are alerts, and nothing of them waits in memory. */
async function settled(host: Host, rule: string, matches: number, state: string): Promise<void> {
  let [seen, times] = ["", 0];
  await eventually(`${matches} of ${rule}, ${state}`, async () => {
    const output = await host.output();
    const found = await host.matches(rule);
    seen = JSON.stringify({ found, output });
    const isSo = found === matches && output?.state === state && output.waiting === 0;
    // An alert may be between two threads, and in neither number.
    times = isSo ? times + 1 : 0;
    return times === 5 || undefined;
  }, PATIENCE_MS).catch((error: Error) => {
    throw new Error(`${error.message}: ${seen}`);
  });
}

/** By host and rule, what the alerts of the stream are of, in its order. */
async function stored(server: NatsServer): Promise<Map<string, string[]>> {
  const connection = await server.connect();
  try {
    const { streams } = await jetstreamManager(connection);
    const { state } = await streams.info("SAKER");
    const consumer = await jetstream(connection).consumers.get("SAKER");
    const found = new Map<string, string[]>();
    for (let left = state.messages; left > 0;) {
      for await (const message of await consumer.fetch({ max_messages: Math.min(left, 500) })) {
        left--;
        const { rule, hostname, source, output_fields } = message.json<{
          rule: string;
          hostname: string;
          source: string;
          output_fields: Record<string, string>;
        }>();
        if (rule !== "Call" && rule !== "Line") continue;
        const key = `${message.subject} ${hostname} ${source} ${rule}`;
        found.set(key, [
          ...(found.get(key) ?? []),
          (output_fields["fd.name"] ?? output_fields["log.line"])!,
        ]);
      }
    }
    return found;
  } finally {
    await connection.close();
  }
}

Deno.test({
  name: "nats: system calls of a host with the probe are in the stream once and in order",
  ignore: noNats() !== undefined || !isRoot(),
  async fn() {
    await using place = new Place();
    // Who follows a log looks at what else comes into its directory.
    await using beside = new Place();
    await using server = await NatsServer.start();
    await Deno.writeTextFile(
      place.file("rules.yaml"),
      `- {rule: Call, desc: d, priority: NOTICE, output: "%fd.name", condition: ` +
        `"evt.type in (open, openat, openat2) and fd.name startswith ${place.path}/call-"}\n`,
    );
    await Deno.writeTextFile(
      beside.file("lines.yaml"),
      `- {rule: Line, desc: d, priority: NOTICE, output: "%log.line", source: log, ` +
        `condition: log.line startswith line-}\n`,
    );
    await Deno.writeTextFile(beside.file("log"), "");
    await Deno.writeTextFile(
      beside.file("falco.yaml"),
      `plugins:\n  - {name: logfile, open_params: "${beside.file("log")}", ` +
        `init_config: {from: start}}\nload_plugins: [logfile]\n`,
    );
    const outputs = (name: string) => [
      ...["-o", "stdout_output.enabled=false"],
      ...["-o", `nats_output={enabled: true, url: "${server.url}", timeout: 1000}`],
      ...["-o", `spool={enabled: true, directory: "${place.file(`spool-${name}`)}"}`],
    ];
    const ofProbe: StartOptions = {
      args: ["-r", place.file("rules.yaml"), ...outputs("probe")],
      env: { FALCO_HOSTNAME: "probe.1" },
    };
    await using killed = await Saker.start([], ofProbe);
    await using log = await Saker.start([], {
      args: [
        ...["-c", beside.file("falco.yaml"), "-r", beside.file("lines.yaml")],
        ...["--enable-source=log", ...outputs("log")],
      ],
      env: { FALCO_HOSTNAME: "log-1" },
    });
    let [calls, lines] = [0, 0];
    const act = async () => {
      const text = Array.from({ length: CALLS }, () => `line-${lines++}\n`).join("");
      await Deno.writeTextFile(beside.file("log"), text, { append: true });
      const to = calls + CALLS;
      await python(place.mark("calls"), OPEN, [place.path, `${calls}`, `${to}`]);
      calls = to;
    };
    await act();
    await settled(hostOf(killed), "Call", calls, "ok");
    await server.end("SIGKILL");
    await act();
    await settled(hostOf(killed), "Call", calls, "failing");
    await killed.stop("SIGKILL");
    const before = calls;
    // It is not well while the server is away, and watches all the same.
    await using probe = Saker.launch([], ofProbe);
    await eventually("it to watch", () => probe.told.includes("is watching") || undefined);
    await act();
    await server.again();
    await act();
    await settled(hostOf(probe), "Call", calls - before, "ok");
    await settled(hostOf(log), "Line", lines, "ok");
    for (const saker of [probe, log]) {
      const { code, stderr } = await saker.stop();
      strictEqual(code, 0, stderr);
    }
    const found = await stored(server);
    deepStrictEqual([...found.keys()].sort(), [
      "saker.alerts.log-1 log-1 log Line",
      "saker.alerts.probe=2E1 probe.1 syscall Call",
    ]);
    for (const [key, names] of found) {
      const numbers = names.map((name) => Number(name.slice(name.lastIndexOf("-") + 1)));
      inOrder(numbers, 0, key.endsWith("Call") ? calls : lines);
    }
  },
});
