// `saker doctor` on this host.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { runSaker } from "./saker.ts";
import { has, isRoot } from "./trigger.ts";

Deno.test({
  name: "saker doctor shows what is attached and sees a process that it starts",
  ignore: !isRoot(),
  async fn() {
    const { code, stdout, stderr } = await runSaker(["doctor"]);
    assertEquals([code, stderr], [0, ""]);
    const attached = /^ok .*\b(\d+) of (\d+) probe programs attached, in \d+ ms/m.exec(stdout);
    assert(attached !== null && attached[1] === attached[2] && Number(attached[1]) > 10, stdout);
    assertIncludes(stdout, "a process that was started now was seen");
  },
});

Deno.test({
  name: "saker doctor without BTF says so and exits with 1",
  ignore: !isRoot(),
  async fn() {
    const { code, stdout } = await runSaker(["doctor"], { env: { SAKER_BTF: "/nowhere" } });
    assertEquals(code, 1);
    assert(/^MISSING .*BTF/m.test(stdout), stdout);
  },
});

Deno.test({
  name: "saker doctor --json has the findings and every program",
  ignore: !isRoot(),
  async fn() {
    const { code, stdout } = await runSaker(["doctor", "--json"]);
    const { well, findings, programs } = JSON.parse(stdout) as {
      well: boolean;
      findings: { verdict: string; text: string }[];
      programs: { name: string; attached: boolean }[];
    };
    assertEquals([code, well], [0, true]);
    assert(findings.every(({ verdict }) => verdict !== "missing"), stdout);
    assert(programs.some(({ name, attached }) => name === "sys_exit" && attached), stdout);
  },
});

Deno.test({
  name: "saker doctor without capabilities names those that lack and exits with 1",
  ignore: !isRoot() || !has("setpriv"),
  async fn() {
    const through = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
    const { code, stdout } = await runSaker(["doctor"], { through });
    assertEquals(code, 1);
    assertIncludes(stdout, "no CAP_BPF: no program can be loaded into the kernel: run as root");
    assertIncludes(stdout, "no CAP_SYS_PTRACE: ");
  },
});
