// Containers of CRI-O, which no registry has a program of: the answers of a real CRI, recorded with
// containerd's and given as CRI-O gives them, and a process in a cgroup of CRI-O's name.
import { assertEquals } from "./expect.ts";
import { noGrpcClient, PYTHON_WITH_GRPC } from "../outputs/grpc.ts";
import { runInCgroup } from "./runtimes/by_cgroup.ts";
import { makeRootDirectory } from "./runtimes/image.ts";
import { CannotRun, unpacked } from "./runtimes/unpacked.ts";
import { about, watch } from "./runtimes/watched.ts";
import { lines, type Saker } from "./saker.ts";
import { isRoot, Place } from "./trigger.ts";

const HERE = new URL("runtimes/", import.meta.url).pathname;
const SESSION = `${HERE}cri_session.json`;
/** As the recording has it. */
const ID = (JSON.parse(Deno.readTextFileSync(SESSION)) as { id: string }).id;

/** Why it cannot be tried here. */
function defect(): string | undefined {
  if (!isRoot()) return "containers need root";
  try {
    unpacked("busybox");
  } catch (error) {
    if (error instanceof CannotRun) return error.message;
    throw error;
  }
  return noGrpcClient();
}

/** Answers on the socket until it is let go. */
class Answering implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
  }

  static async start(socket: string): Promise<Answering> {
    const { program, env } = PYTHON_WITH_GRPC;
    const child = new Deno.Command(program, {
      args: [`${HERE}cri_session.py`, "answer", socket, SESSION],
      ...{ env, stdin: "piped" as const, stdout: "piped" as const, stderr: "null" as const },
    }).spawn();
    const out = lines(child.stdout);
    assertEquals((await out.next()).value, "answering");
    await out.return(undefined);
    return new Answering(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close();
    await this.#child.status;
  }
}

async function socketState(saker: Saker): Promise<Record<string, unknown>> {
  const { body } = (await saker.health())!;
  const { sockets } = body["runtimes"] as { sockets: Record<string, unknown>[] };
  return sockets[0]!;
}

Deno.test("a pod of CRI-O is told of, though its stream of events ends at once", async (t) => {
  const missing = defect();
  if (missing !== undefined) {
    await t.step({ name: `skipped: ${missing}`, ignore: true, fn() {} });
    return;
  }
  await using place = new Place();
  const socket = place.file("crio.sock");
  await using _answering = await Answering.start(socket);
  await makeRootDirectory(place.file("box"));
  await using saker = await watch(place, { cri: [socket] });
  for (const name of ["first", "second"]) {
    const mark = place.mark(name);
    const cgroup = `kubepods-besteffort.slice/crio-${ID}.scope`;
    await runInCgroup(cgroup, place.file("box"), ["sh", "-c", "true", mark]);
    const alert = await saker.alert("In pod", mark);
    const of = ["container.id", "container.full_id", "container.type", "container.name"];
    assertEquals(about(alert, ...of), [ID.slice(0, 12), ID, "cri-o", "inner"]);
    const pod = ["k8s.pod.name", "k8s.ns.name", "k8s.pod.uid", "k8s.pod.labels"];
    assertEquals(about(alert, ...pod), ["saker-pod-1", "saker-space", "uid-1", "app:box"]);
    assertEquals(about(alert, "container.image.tag", "container.privileged"), ["1", false]);
    await saker.alert("Host's etc", mark);
  }
  const { up, connects, failures, follows } = await socketState(saker);
  assertEquals({ up, connects, failures, follows }, {
    ...{ up: true, connects: 1, failures: 0, follows: false },
  });
});
