// What was there before saker: processes, their ancestors and their descriptors are known from
// /proc, so that their first act is judged like any other.
import { assert, assertEquals } from "./expect.ts";
import { lines, Saker } from "./saker.ts";
import { isRoot, Place, PYTHON } from "./trigger.ts";

/** A process that says when it is ready, and goes on when it is told. */
class Waiting implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: AsyncGenerator<string>;

  constructor(program: string, args: readonly string[], cwd: string) {
    this.#child = new Deno.Command(program, {
      args: [...args],
      cwd,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#stdout = lines(this.#child.stdout);
  }

  async ready(): Promise<void> {
    assertEquals((await this.#stdout.next()).value, "ready");
  }

  async goOn(): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("\n"));
    await writer.close();
    assertEquals((await this.#child.status).code, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stdout.return(undefined);
  }
}

Deno.test({
  name: "a process from before saker is known with its parent, directory and arguments",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    // The inner shell is the one that reads; the outer one stays as its parent.
    const inner = "echo ready; read -r line; exec 3< ../etc/shadow";
    await using waiting = new Waiting(
      "/bin/sh",
      ["-c", '/bin/sh -c "$1" "$0" inner; exit $?', place.marker, inner],
      "/usr",
    );
    await waiting.ready();
    await using saker = await Saker.start([place.marker]);
    await waiting.goOn();
    const { output_fields: fields } = await saker.alert(
      "Sensitive file read by an untrusted program",
      place.marker,
    );
    assertEquals(fields["fd.name"], "/etc/shadow");
    assertEquals(fields["fd.nameraw"], "../etc/shadow");
    assertEquals(fields["proc.cmdline"], `sh -c ${inner} ${place.marker} inner`);
    assertEquals(fields["proc.pexepath"], Deno.realPathSync("/bin/sh"));
    assert(String(fields["proc.pcmdline"]).includes(`exit $? ${place.marker}`));
  },
});

Deno.test({
  name: "a connection from before saker is known by both its ends",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    await using waiting = new Waiting(
      PYTHON,
      [
        "-c",
        `import os, socket, sys
s = socket.create_connection(("127.0.0.1", ${port}))
print("ready", flush=True)
sys.stdin.readline()
os.dup2(s.fileno(), 0)`,
        place.marker,
      ],
      "/",
    );
    using connection = await listener.accept();
    await waiting.ready();
    await using saker = await Saker.start([place.marker]);
    await waiting.goOn();
    const { output_fields: fields } = await saker.alert(
      "Standard stream replaced by a network connection",
      place.marker,
    );
    const own = (connection.remoteAddr as Deno.NetAddr).port;
    assertEquals(fields["fd.name"], `127.0.0.1:${own}->127.0.0.1:${port}`);
  },
});
