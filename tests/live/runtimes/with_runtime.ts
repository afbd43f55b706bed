// Runs a test's body with a real runtime, or says by a step that it leaves out why there is none.
import { Place } from "../trigger.ts";
import { Containerd } from "./containerd.ts";
import { Docker } from "./docker.ts";
import { Podman } from "./podman.ts";
import { Rootless } from "./rootless.ts";
import { CannotRun } from "./unpacked.ts";

interface Runtimes {
  readonly containerd: Containerd;
  readonly docker: Docker;
  readonly podman: Podman;
  readonly rootless: Rootless;
}

const START = {
  ...{ containerd: Containerd, docker: Docker, podman: Podman, rootless: Rootless },
} as const;

/** Its files, and those of the test, are in `place`, which is gone afterwards. */
export async function withRuntime<Name extends keyof Runtimes>(
  t: Deno.TestContext,
  name: Name,
  body: (runtime: Runtimes[Name], place: Place) => Promise<void>,
): Promise<void> {
  await using place = new Place();
  try {
    await using runtime = await START[name].start(place.path) as Runtimes[Name];
    await body(runtime, place);
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    await t.step({ name: `skipped: ${error.message}`, ignore: true, fn() {} });
  }
}
