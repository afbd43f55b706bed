// A file that the executable carries behind the runtime: src/engine/host/carried.ts for who begins
// before the engine's modules are there.

/** Its bytes; throws where there is none. */
export function part(name) {
  const index = new URL("../../../dist/parts.json", import.meta.url);
  const [at, length] = JSON.parse(Deno.readTextFileSync(index))[name];
  const bytes = new Uint8Array(length);
  using file = Deno.openSync("/proc/self/exe");
  file.seekSync(at, Deno.SeekMode.Start);
  for (let read = 0; read < length;) {
    const more = file.readSync(bytes.subarray(read));
    if (more === null) throw new Error(`Cannot read ${name} in the executable: it is cut off`);
    read += more;
  }
  return bytes;
}
