// Data of sockets beyond the snaplen, by the configuration's keys: of ports that it names all that
// the probe can keep, and of protocols that are known their requests.
import { assertEquals } from "./expect.ts";
import { freePort, Saker } from "./saker.ts";
import { isRoot, Place, python } from "./trigger.ts";
import { rulesOfWays } from "./ways.ts";

/** Sends to a port of its own, by the word of its second argument; the marker stands last. */
const SCRIPT = `import socket, sys
there = socket.create_server(("127.0.0.1", int(sys.argv[3])))
here = socket.create_connection(there.getsockname())
here.sendall((sys.argv[2] + " ").ljust(int(sys.argv[4]), "x").encode() + sys.argv[1].encode())
`;
const RULE = "Marked data sent";

Deno.test({
  name: "more than the snaplen is kept of ports and protocols that were asked for",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const [port, other] = [freePort(), freePort()];
    const rules = rulesOfWays(
      place,
      { [RULE]: `evt.type in (write, sendto) and evt.buffer contains "${place.marker}"` },
      "%evt.type %fd.sport",
    );
    await using saker = await Saker.start([place.marker], {
      args: [
        ...["-r", rules, "-o", `engine.snaplen.ports=${port}-${port}`],
        ...["-o", "engine.snaplen.dynamic=true"],
      ],
    });
    const sends = async (step: string, word: string, to: number, bytes: number) => {
      await python(place.mark(step), SCRIPT, [word, `${to}`, `${bytes}`]);
    };
    // None of these shows its marker, which lies behind what is kept.
    await sends("short", "SEND", other, 500);
    await sends("far", "POST", other, 2500);
    await sends("beyond", "SEND", port, 16_500);
    await sends("protocol", "POST", other, 1500);
    await saker.alert(RULE, place.mark("protocol"));
    await sends("port", "SEND", port, 15_000);
    const { output_fields } = await saker.alert(RULE, place.mark("port"));
    assertEquals(output_fields["fd.sport"], port);
    for (const step of ["short", "far", "beyond"]) {
      assertEquals(saker.alertsWith(place.mark(step)), [], step);
    }
  },
});
