// The parts of scripts/bench fleet whose hosts are simulated.
import { NatsServer } from "../../tests/nats_fixture.ts";
import { pause, settled, takenBy } from "./processes.ts";
import { EVERY_S, SimulatedHosts } from "./simulated_hosts.ts";
import { answered, Page, prepare, publish, storedBytes, streamOf, taking } from "./stage.ts";
import { viaLeaf, withReplicas } from "./layouts.ts";

type Print = (line: string) => void;

export const PARTS = {
  stream: inStream,
  page: atPage,
  presence: presences,
  search: searches,
  connections,
  leaf: viaLeaf,
  replicas: withReplicas,
} as const;

const PUBLISHERS = 1000;
const SECONDS = 15;
const micros = (seconds: number, count: number) => `${(seconds / count * 1e6).toFixed(1)} µs`;

/** Alerts of a thousand connections, nobody reads. */
async function inStream(print: Print): Promise<void> {
  for (const alerts of [100, 1000, 5000, 10_000]) {
    await using server = await NatsServer.start();
    await prepare(server);
    const hosts = await SimulatedHosts.connect(server.port, PUBLISHERS);
    const { result, taken: [nats] } = await taking([server.pid], async () => {
      const pace = { alerts, presences: 0, hosts: PUBLISHERS, seconds: SECONDS };
      const published = await publish(hosts, pace);
      return { ...published, all: await answered(hosts, published.sent) };
    });
    hosts.close();
    const { messages, bytes } = await streamOf(server);
    print(
      `${PUBLISHERS} publishers, ${alerts} alerts a second: ${result.sent} in ` +
        `${result.seconds.toFixed(0)} s, ${messages} stored${
          result.all ? "" : ", NOT all answered"
        }; nats-server ${micros(nats!.cpuSeconds, messages)} an alert, ` +
        `${nats!.megabytes.toFixed(0)} MB; ${(bytes / messages).toFixed(0)} bytes an alert in ` +
        `the stream, ${(storedBytes(server) / messages).toFixed(0)} on disk`,
    );
  }
}

/** The same with a page that follows, counts and shows. */
async function atPage(print: Print): Promise<void> {
  for (const alerts of [100, 1000, 5000, 10_000]) {
    await using server = await NatsServer.start();
    await prepare(server);
    await using page = await Page.start(server);
    const hosts = await SimulatedHosts.connect(server.port, PUBLISHERS);
    const { result, taken: [nats, fleet] } = await taking([server.pid, page.pid], async () => {
      const pace = { alerts, presences: 0, hosts: PUBLISHERS, seconds: SECONDS };
      const published = await publish(hosts, pace);
      const { behind } = await streamOf(server);
      await settled(page.pid);
      return { ...published, behind };
    });
    hosts.close();
    print(
      `${alerts} alerts a second with a page: nats-server ` +
        `${micros(nats!.cpuSeconds, result.sent)} an alert, page ` +
        `${micros(fleet!.cpuSeconds, result.sent)} an alert, ` +
        `${fleet!.megabytes.toFixed(0)} MB, ${result.behind} alerts behind at the end`,
    );
  }
}

/** Hosts that tell of themselves, by few connections: what a host more costs server and page. */
async function presences(print: Print): Promise<void> {
  for (const count of [1000, 10_000, 100_000]) {
    await using server = await NatsServer.start();
    await prepare(server);
    await using page = await Page.start(server);
    const pids = [server.pid, page.pid];
    const before = pids.map(takenBy);
    const hosts = await SimulatedHosts.connect(server.port, 64);
    for (let at = 0; at < count; at++) {
      hosts.presence(at);
      if (at % 500 === 499) await hosts.flushed();
      if (at % 5000 === 4999) await pause(200);
    }
    await settled(page.pid);
    const [nats, fleet] = pids.map(takenBy).map((now, at) => now.megabytes - before[at]!.megabytes);
    const told = count.toLocaleString("en");
    if (!(await page.text("/")).includes(`${told} hosts`)) throw new Error("some are missing");
    print(
      `${count} hosts known: nats-server ${nats!.toFixed(0)} MB more, page ` +
        `${fleet!.toFixed(0)} MB more (${(fleet! / count * 1e6).toFixed(0)} bytes a host), ` +
        `${(storedBytes(server) / count).toFixed(0)} bytes a host on disk`,
    );
    const { result, taken } = await taking(pids, async () => {
      const pace = { alerts: 0, presences: count / EVERY_S, hosts: count, seconds: EVERY_S };
      return await publish(hosts, pace);
    });
    print(
      `${count} hosts, a presence each ${EVERY_S} s: ${result.told} in ` +
        `${result.seconds.toFixed(0)} s; nats-server ` +
        `${micros(taken[0]!.cpuSeconds, result.told)} each, ` +
        `${(taken[0]!.cpuSeconds / result.seconds * 100).toFixed(1)} % of a core; page ` +
        `${micros(taken[1]!.cpuSeconds, result.told)} each, ` +
        `${(taken[1]!.cpuSeconds / result.seconds * 100).toFixed(1)} % of a core, ` +
        `${taken[1]!.megabytes.toFixed(0)} MB; ` +
        `${(storedBytes(server) / count).toFixed(0)} bytes a host on disk`,
    );
    hosts.close();
    for (const path of ["/", "/?search=web-0009", `/?skip=${count - 100}`]) {
      const startMs = performance.now();
      await page.text(path);
      print(`${count} hosts, ${path}: ${(performance.now() - startMs).toFixed(0)} ms`);
    }
    const startMs = performance.now();
    await using another = await Page.start(server);
    const [, seconds] = [another.pid, (performance.now() - startMs) / 1000];
    print(`${count} hosts: another page knows all after ${seconds.toFixed(1)} s or less`);
  }
}

const SEARCHED = 300_000;
/** Hosts of a stream that is searched: as many subjects. */
const SUBJECTS = 100_000;

/** A search through a stream, of all hosts and of one. */
async function searches(print: Print): Promise<void> {
  await using server = await NatsServer.start();
  await prepare(server);
  const empty = takenBy(server.pid).megabytes;
  const hosts = await SimulatedHosts.connect(server.port, 64);
  for (let at = 0; at < SEARCHED; at++) {
    hosts.alert(at % SUBJECTS, at);
    if (at % 500 === 499) await hosts.flushed();
    if (at % 5000 === 4999) await answered(hosts, at - 4999);
  }
  await answered(hosts, SEARCHED);
  hosts.close();
  const { messages } = await streamOf(server);
  print(
    `${messages} alerts of ${SUBJECTS} hosts: nats-server ` +
      `${(takenBy(server.pid).megabytes - empty).toFixed(0)} MB more`,
  );
  await using page = await Page.start(server);
  for (
    const query of [
      "search=nothing-like-that",
      "search=mitre+nothing",
      "host=web-000007.example.com",
    ]
  ) {
    const startMs = performance.now();
    const { taken: [nats, fleet] } = await taking([server.pid, page.pid], async () => {
      for (let path = `/page/search?${query}`;;) {
        const text = await page.text(path);
        if (text.includes("All that the stream keeps was searched")) break;
        // On a busy machine it may end by its own bound of time, and is gone on with.
        const older = /href="([^"]*\bbefore=[^"]*)"/.exec(text)?.[1];
        if (older !== undefined && /It stopped after/.test(text)) {
          path = older.replaceAll("&amp;", "&");
          continue;
        }
        const failure = /It (?:stopped|failed)[^<]*/.exec(text)?.[0];
        if (failure !== undefined) throw new Error(failure);
        // To show how far it is costs too; the page itself asks once a second.
        await pause(500);
      }
    });
    const ms = performance.now() - startMs - 1000;
    print(
      `search ${query}: ${ms.toFixed(0)} ms; page ${fleet!.cpuSeconds.toFixed(2)} s of CPU, ` +
        `${micros(fleet!.cpuSeconds, SEARCHED)} an alert of the stream, ` +
        `${fleet!.megabytes.toFixed(0)} MB; nats-server ${nats!.cpuSeconds.toFixed(2)} s of CPU`,
    );
  }
}

/** What a connection costs the server that does nothing but ask whether it is there. */
async function connections(print: Print): Promise<void> {
  await using server = await NatsServer.start();
  await prepare(server);
  const before = takenBy(server.pid);
  const all: SimulatedHosts[] = [];
  let open = 0;
  for (const more of [1000, 4000, 5000]) {
    all.push(await SimulatedHosts.connect(server.port, more));
    open += more;
    await pause(1000);
    const { megabytes } = takenBy(server.pid);
    print(
      `${open} connections: nats-server ${(megabytes - before.megabytes).toFixed(0)} MB more, ` +
        `${((megabytes - before.megabytes) / open * 1000).toFixed(0)} kB each`,
    );
  }
  for (const hosts of all) hosts.close();
}
