// Where the time of a script goes: runs it under V8's sampling profiler, over the inspector that
// Deno opens, and gives the functions with the most time of their own.

const SAMPLE_US = 250;
const SHOWN = 20;

interface Node {
  id: number;
  callFrame: { functionName: string; url: string; lineNumber: number };
}

interface Profile {
  nodes: Node[];
  samples: number[];
  timeDeltas: number[];
}

/** `args`: a script and its arguments; it must write "DONE" to the console and then stay. */
export async function profile(args: readonly string[], port: number): Promise<string[]> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", `--inspect-brk=127.0.0.1:${port}`, ...args],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  try {
    const socket = new WebSocket(await inspectorOf(child.stderr));
    await new Promise((resolve) => socket.onopen = resolve);
    const taken = await take(socket);
    socket.close();
    return hottest(taken);
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
}

async function inspectorOf(stderr: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  const reader = stderr.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`The profiled script ended: ${text}`);
    text += value;
    const address = /ws:\/\/\S+/.exec(text)?.[0];
    if (address === undefined) continue;
    // The rest has to be read, or the script would stop at a full pipe.
    (async () => {
      while (!(await reader.read()).done);
    })();
    return address;
  }
}

async function take(socket: WebSocket): Promise<Profile> {
  const waiting = new Map<number, (result: unknown) => void>();
  let done: () => void;
  const finished = new Promise<void>((resolve) => done = resolve);
  socket.onmessage = ({ data }) => {
    const { id, method, params, result } = JSON.parse(data);
    if (id !== undefined) waiting.get(id)?.(result);
    else if (method === "Runtime.consoleAPICalled" && params.args[0]?.value === "DONE") done();
  };
  let last = 0;
  const call = (method: string, params = {}) =>
    new Promise<unknown>((resolve) => {
      waiting.set(++last, resolve);
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  await call("Runtime.enable");
  await call("Profiler.enable");
  await call("Profiler.setSamplingInterval", { interval: SAMPLE_US });
  await call("Profiler.start");
  await call("Debugger.enable");
  await call("Runtime.runIfWaitingForDebugger");
  await call("Debugger.resume");
  await finished;
  const { profile } = await call("Profiler.stop") as { profile: Profile };
  return profile;
}

function hottest({ nodes, samples, timeDeltas }: Profile): string[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const own = new Map<string, number>();
  let all = 0;
  for (const [at, id] of samples.entries()) {
    const name = names.get(id)!;
    if (name === "(idle)") continue;
    const time = timeDeltas[at]!;
    all += time;
    own.set(name, (own.get(name) ?? 0) + time);
  }
  return [...own].sort(([, one], [, other]) => other - one).slice(0, SHOWN)
    .map(([name, time]) => `${(time / all * 100).toFixed(1).padStart(5)} %  ${name}`);
}

function nameOf({ functionName, url }: Node["callFrame"]): string {
  const file = url.split("/").slice(-2).join("/");
  return `${functionName || "(top)"} ${file}`.trim();
}
