// Daemons of real runtimes that hang, end and come back while saker runs: what was known stays,
// what is started afterwards becomes known, and no alert waits for a daemon that does not answer.
import { assert, assertEquals } from "./expect.ts";
import type { Daemon } from "./runtimes/daemon.ts";
import { IMAGE } from "./runtimes/image.ts";
import { about, type Engine, PATIENT, untilUp, watch } from "./runtimes/watched.ts";
import { withRuntime } from "./runtimes/with_runtime.ts";
import { standStill } from "../patience.ts";
import { type Alert, eventually, runSaker, type Saker } from "./saker.ts";
import type { Place } from "./trigger.ts";

const RULE = "In a container";

interface Party {
  readonly engine: Engine;
  readonly daemon: Daemon;
  /** Starts a container of that name, which runs the script in the background. */
  readonly start: (name: string, script: string) => Promise<string>;
}

/** A program that is started again and again. */
const ticks = (mark: string) => `while :; do /bin/sh -c true ${mark}; sleep 0.2; done`;

/** An alert on the container that is younger than `sinceMs`, with its metadata. */
async function told(saker: Saker, mark: string, sinceMs: number): Promise<Alert> {
  const alert = await eventually(
    `an alert of ${mark}`,
    () =>
      saker.alertsWith(mark).find(({ rule, time }) => rule === RULE && Date.parse(time) >= sinceMs),
  );
  assertEquals(about(alert, "container.name", "container.image.tag"), [mark, "1"]);
  assertEquals((alert as { container_metadata?: string }).container_metadata, undefined);
  return alert;
}

/** As the configuration that is watched with has it, each finding is an object. */
async function doctorSays(place: Place, sockets: Readonly<Record<string, string>>): Promise<void> {
  const { code, stdout } = await runSaker(["-c", place.file("falco.yaml"), "doctor"]);
  assertEquals(code, 0, stdout);
  const { findings } = JSON.parse(stdout) as { findings: { verdict: string; text: string }[] };
  const { docker, containerd, podman } = sockets;
  const said = (verdict: string, text: RegExp) =>
    assert(findings.some((one) => verdict.includes(one.verdict) && text.test(one.text)), stdout);
  said("ok", new RegExp(`answers on ${docker} \\(docker\\); its events are followed`));
  said("note|ok", new RegExp(`containerd: ${containerd} (is not there|cannot connect: )`));
  said("note", new RegExp(`podman: ${podman} did not answer within `));
}

function ofEach(sockets: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(sockets).map(([name, path]) => [name, [path]]));
}

Deno.test("daemons that hang, end and come back cost no metadata and no alert", async (t) => {
  await withRuntime(t, "docker", async (docker, place) => {
    await withRuntime(t, "containerd", async (containerd) => {
      await withRuntime(t, "podman", async (podman) => {
        const images = (await containerd.must("images", "ls", "-q")).split("\n");
        const image = images.find((name) => name.endsWith(IMAGE))!;
        const detached = ["run", "--detach"];
        const parties: readonly Party[] = [
          ...([["docker", docker], ["podman", podman]] as const).map(([engine, runtime]) => ({
            engine,
            daemon: runtime.daemon,
            start: (name: string, script: string) => {
              const options = ["--network=none", "--name", name];
              return runtime.must(...detached, ...options, IMAGE, "sh", "-c", script);
            },
          })),
          {
            engine: "containerd",
            daemon: containerd.daemon,
            start: (name, script) => containerd.must(...detached, image, name, "sh", "-c", script),
          },
        ];
        const sockets = {
          docker: docker.socket,
          podman: podman.socket,
          containerd: containerd.socket,
        };
        const all = ["docker", "podman", "containerd"] as const;
        await using saker = await watch(place, ofEach(sockets), all, PATIENT);
        const each = <T>(act: (party: Party) => Promise<T>) => Promise.all(parties.map(act));
        const old = ({ engine }: Party) => place.mark(`${engine}-old`);
        const allOldAreTold = async () => {
          const sinceMs = Date.now();
          await each((party) => told(saker, old(party), sinceMs));
        };
        await each((party) => party.start(old(party), ticks(old(party))));
        await allOldAreTold();

        // One hangs, one has ended.
        await standStill(podman.daemon.pid);
        try {
          await containerd.daemon.stop();
          await allOldAreTold();
          const mark = place.mark("meanwhile");
          await parties[0]!.start(mark, `/bin/sh -c true ${mark}`);
          await told(saker, mark, 0);
          await doctorSays(place, sockets);
        } finally {
          Deno.kill(podman.daemon.pid, "SIGCONT");
        }
        await Promise.all([docker.daemon.stop(), podman.daemon.stop()]);
        await allOldAreTold();

        await each(({ daemon }) => daemon.startAgain());
        await each(async ({ engine, start }) => {
          const mark = place.mark(`${engine}-new`);
          await start(mark, `/bin/sh -c true ${mark}`);
          await told(saker, mark, 0);
          await untilUp(saker, engine);
        });
        await allOldAreTold();
      });
    });
  });
});
