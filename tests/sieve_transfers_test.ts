// The sieve over captures holds back data that tells the engine nothing new, and knows directories
// that are told: the same alerts with it and without it. SAKER_TEST_TRANSFERS: from which seed on,
// and how many, instead of those kept here.
import { ruleText } from "../src/rules/load_fixture.ts";
import { rulesByChance } from "../src/sieve/chance_fixture.ts";
import { byChance } from "./sieve_chance.ts";

const [FROM, COUNT] = (Deno.env.get("SAKER_TEST_TRANSFERS") ?? "7001 240").split(" ").map(Number);

Deno.test("a replay tells the same with the sieve where data goes through by chance", () => {
  const show = '"%evt.num %evt.type %fd.num %fd.name %fd.type %fd.connected %fd.sip %fd.sport ' +
    '%fd.cip %fd.cport %fd.l4proto %fd.is_server %proc.name %proc.cwd %proc.aname"';
  byChance(FROM!, COUNT!, (chance) =>
    rulesByChance(chance, 2) + ruleText(
      "data",
      JSON.stringify(chance.of([
        "evt.type in (sendto, recvfrom) and fd.name exists",
        "evt.type = connect",
        "evt.type in (connect, accept4) and fd.connected = true",
        "evt.type in (write, writev) and fd.connected = true",
        "evt.type = read and fd.name contains 127",
        "evt.type = fchmod",
        "evt.type in (dup, dup2, fcntl)",
        "evt.type = close and fd.connected = true",
        "evt.type = getcwd",
        "evt.type = chdir and proc.cwd startswith /etc",
        "evt.type in (openat, unlinkat) and proc.cwd = /etc/b/",
        "evt.type = prctl and proc.name = sh",
        "evt.type = execve",
      ])),
      { output: show },
    ), "transfers");
});
