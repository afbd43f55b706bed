// What a host does all day, made small: shells, searches, copies, Python, sockets on 127.0.0.1,
// short processes. In: a directory of one's own, the share of one core to take. Out: done until
// told to end; every round has other names, as on a host.
import { run } from "../../tests/live/trigger.ts";
import { sleep } from "../live_bench/watchers.ts";

/** Steps are shell scripts: $1 is the directory, $2 the number of the round. */
const STEPS: readonly string[] = [
  `for i in $(seq 40); do /bin/true "$2-$i"; done; echo $(uname; id -u; hostname) > "$1/said-$2"`,
  `grep -rs "round $2" /etc | head -n 3; find /etc -type f -name "*$2*" | sort | uniq -c`,
  `cp -r /etc "$1/copy-$2"; tar -cf "$1/copy-$2.tar" -C "$1" "copy-$2"; rm -r "$1/copy-$2"*`,
  `python3 -c '
import json, os, subprocess, sys, tempfile, threading
place, at = sys.argv[1:]
def write(n):
    with tempfile.NamedTemporaryFile("w", dir=place, prefix=f"py-{at}-{n}-") as f:
        json.dump({"n": n, "environment": dict(os.environ)}, f)
        f.flush()
        os.stat(f.name)
threads = [threading.Thread(target=write, args=(n,)) for n in range(20)]
[t.start() for t in threads]
[t.join() for t in threads]
subprocess.run(["ls", "-l", place], stdout=subprocess.DEVNULL)
' "$1" "$2"`,
  `python3 -c '
import socket, threading
server = socket.create_server(("127.0.0.1", 0))
def answer():
    for _ in range(60):
        peer, _ = server.accept()
        with peer: peer.sendall(peer.recv(100))
thread = threading.Thread(target=answer)
thread.start()
for n in range(60):
    with socket.create_connection(server.getsockname()) as s:
        s.sendall(b"%d" % n)
        s.recv(100)
thread.join()
'`,
  `mkdir -p "$1/tree-$2/a/b/c"; for i in $(seq 60); do echo $i > "$1/tree-$2/a/b/c/file-$2-$i"; done
   (cd "$1/tree-$2/a/b" && ls -R > /dev/null && cat c/* | wc -c); rm -r "$1/tree-$2"`,
];

/** Works until `isOver`; sleeps between the steps so that they take `share` of a core. */
export async function work(place: string, share: number, isOver: () => boolean): Promise<void> {
  for (let round = 1; !isOver(); round++) {
    for (const step of STEPS) {
      if (isOver()) return;
      const startedAt = performance.now();
      const cpuMs = await cpuOf(step, place, round);
      const tookMs = performance.now() - startedAt;
      await sleep(Math.min(Math.max(cpuMs / share - tookMs, 20), 30_000));
    }
  }
}

/** Runs a step, niced; milliseconds of CPU that it took. */
async function cpuOf(step: string, place: string, round: number): Promise<number> {
  const timed = `TIMEFORMAT="%U %S"; time ( ${step}\n) > /dev/null 2>&1`;
  const { stderr } = await run("nice", ["bash", "-c", timed, "work", place, `${round}`]);
  const [user, kernel] = stderr.trim().split(" ").map(Number);
  return (user! + kernel!) * 1000;
}
