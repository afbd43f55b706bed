// The same alerts through other layouts of servers: a leaf node between, and three replicas.
import { NatsServer } from "../../tests/nats_fixture.ts";
import { freePort } from "../../tests/live/saker.ts";
import { pause } from "./processes.ts";
import { SimulatedHosts } from "./simulated_hosts.ts";
import { answered, connectTo, prepare, publish, streamOf, taking } from "./stage.ts";

type Print = (line: string) => void;

const PACE = { alerts: 2000, presences: 0, hosts: 1000, seconds: 15 };
const micros = (seconds: number, count: number) => `${(seconds / count * 1e6).toFixed(1)} µs`;

/** Hosts connect to a server near them, which has one connection to the one with the stream. */
export async function viaLeaf(print: Print): Promise<void> {
  for (const hasLeaf of [false, true]) {
    const port = freePort();
    await using hub = await NatsServer.start({
      more: `leafnodes { listen: "127.0.0.1:${port}" }`,
    });
    await prepare(hub);
    const leaf = hasLeaf
      ? await NatsServer.start({
        jetStream: false,
        more: `server_name: leaf\nleafnodes { remotes: [{ url: "nats://127.0.0.1:${port}" }] }`,
      })
      : undefined;
    try {
      await pause(1000);
      const hosts = await SimulatedHosts.connect((leaf ?? hub).port, PACE.hosts);
      const pids = leaf === undefined ? [hub.pid] : [hub.pid, leaf.pid];
      const { result, taken } = await taking(pids, async () => {
        const published = await publish(hosts, PACE);
        return { ...published, all: await answered(hosts, published.sent) };
      });
      hosts.close();
      const { messages } = await streamOf(hub);
      print(
        `${hasLeaf ? "via a leaf node" : "directly"}: ${messages} of ${result.sent} stored` +
          `${result.all ? "" : ", NOT all answered"}; the stream's server ` +
          `${micros(taken[0]!.cpuSeconds, messages)} an alert, ` +
          `${taken[0]!.megabytes.toFixed(0)} MB` +
          (taken[1] === undefined
            ? ""
            : `; the leaf ${micros(taken[1].cpuSeconds, messages)} an alert, ` +
              `${taken[1].megabytes.toFixed(0)} MB`),
      );
    } finally {
      await leaf?.[Symbol.asyncDispose]();
    }
  }
}

/** Three servers, each with all of the stream, beside one. */
export async function withReplicas(print: Print): Promise<void> {
  for (const count of [1, 3]) {
    const ports = Array.from({ length: count }, () => freePort());
    const routes = ports.map((port) => `"nats://127.0.0.1:${port}"`).join(", ");
    const servers: NatsServer[] = [];
    try {
      for (const [at, port] of ports.entries()) {
        const cluster = `cluster { name: c, listen: "127.0.0.1:${port}", routes: [${routes}] }`;
        servers.push(
          await NatsServer.start({
            more: count === 1 ? "" : `server_name: s${at}\n${cluster}`,
          }),
        );
      }
      await ready(servers[0]!, count);
      const hosts = await SimulatedHosts.connect(servers[0]!.port, PACE.hosts);
      const { result, taken } = await taking(servers.map(({ pid }) => pid), async () => {
        const published = await publish(hosts, PACE);
        return { ...published, all: await answered(hosts, published.sent) };
      });
      hosts.close();
      const { messages } = await streamOf(servers[0]!);
      const sum = taken.reduce((all, { cpuSeconds }) => all + cpuSeconds, 0);
      print(
        `${count} replica${count === 1 ? "" : "s"}: ${messages} of ${result.sent} stored` +
          `${result.all ? "" : ", NOT all answered"}; ${micros(sum, messages)} an alert of all ` +
          `servers together (${taken.map((one) => micros(one.cpuSeconds, messages)).join(", ")})`,
      );
    } finally {
      for (const server of servers) await server[Symbol.asyncDispose]();
    }
  }
}

/** Servers of a cluster choose who leads first. */
async function ready(server: NatsServer, replicas: number): Promise<void> {
  for (const until = performance.now() + 60_000;; await pause(500)) {
    try {
      await prepare(server, replicas);
      await (await connectTo(server)).close();
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
    }
  }
}
