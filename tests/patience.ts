// How tests wait for what is sure to come, and where they have programs listen. Nothing here
// depends on how quick or how quiet the machine is.

/**
 * Longest wait, in milliseconds: a machine on which many others work fails no test. It is of a
 * test that fails alone; who has waited for what came has waited no longer than that took.
 */
export const PATIENCE_MS = 120_000;
const POLL_MS = 20;

/** Calls `look` until it gives something; null, which a pattern has for no match, is nothing. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | null | Promise<T | undefined | null>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const until = performance.now() + patienceMs;
  for (;;) {
    // A look that was begun in time counts, however long it takes.
    const isLast = performance.now() > until;
    const found = await look();
    if (found !== undefined && found !== null) return found;
    if (isLast) throw new Error(`waited ${patienceMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/**
 * Stops a process, and waits until each thread of it stands still: on a busy machine others go on
 * until the one comes to run that takes the signal.
 */
export async function standStill(pid: number): Promise<void> {
  Deno.kill(pid, "SIGSTOP");
  const isStill = (tid: string) => {
    try {
      const stat = Deno.readTextFileSync(`/proc/${pid}/task/${tid}/stat`);
      return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
    } catch {
      // It has ended.
      return true;
    }
  };
  await eventually(`${pid} to stand still`, () => {
    const threads = [...Deno.readDirSync(`/proc/${pid}/task`)];
    return threads.every(({ name }) => isStill(name)) || undefined;
  });
}

/**
 * Below those that the kernel gives to connections (32,768 on, ip_local_port_range): such a port
 * of its choice may be another's a moment later, and who connects to it before anybody listens
 * there can be given it himself, and is connected to himself.
 */
const [FIRST_PORT, PORTS] = [20_000, 10_000];

const given = new Set<number>();

/** A port that nobody listens on and that this run has not had yet. */
export function freePort(hostname = "127.0.0.1"): number {
  for (let tries = 0; tries < PORTS; tries++) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    if (given.has(port)) continue;
    try {
      Deno.listen({ hostname, port }).close();
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) continue;
      throw error;
    }
    given.add(port);
    return port;
  }
  throw new Error("no port is free");
}
