// Which capabilities are kept, by what is written where.
import { deepStrictEqual, match } from "node:assert";
import { readConfig } from "../../config/read_config.ts";
import { keptRights, type RightsView } from "./privileges.ts";

const VIEW: RightsView = {
  uid: 0,
  release: "6.1.0-50-amd64",
  ownerOf: (path) =>
    ({ "/": 0, "/var": 0, "/var/log": 0, "/home": 0, "/home/me": 1000 } as Record<string, number>)[
      path
    ],
};

const USUAL = ["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH", "CAP_NET_BIND_SERVICE"];

function kept(options: string[], view: Partial<RightsView> = {}) {
  const { config } = readConfig({ file: undefined, options, environment: () => undefined });
  const rights = keptRights(config, { ...VIEW, ...view });
  return typeof rights === "string" ? rights : rights.names;
}

Deno.test("a watch keeps what it reads with, and no more", () => {
  deepStrictEqual(kept([]), USUAL);
  deepStrictEqual(kept(["file_output={enabled: true, filename: /var/log/a/alerts}"]), USUAL);
});

Deno.test("files in other users' directories are written after the start as before", () => {
  const file = "file_output={enabled: true, filename: /home/me/alerts}";
  deepStrictEqual(kept([file]), [...USUAL, "CAP_DAC_OVERRIDE"]);
});

Deno.test("kernels that want CAP_BPF for their maps leave it", () => {
  deepStrictEqual(kept([], { release: "5.15.0-1" }), [...USUAL, "CAP_BPF"]);
});

Deno.test("all is kept where a program of the user's runs, or where it is asked for", () => {
  match(`${kept(["program_output={enabled: true, program: cat}"])}`, /program_output/);
  match(`${kept(["engine.drop_privileges_after=0"])}`, /is 0/);
});
