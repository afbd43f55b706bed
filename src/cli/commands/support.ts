// `--support`: what a report of a problem needs, as one JSON object.
import type { Config } from "../../config/schema.ts";
import type { RulesText } from "../../rules/load.ts";
import type { LoadedConfig } from "../start/load_config.ts";
import type { Terminal } from "../terminal.ts";
import { SAKER_VERSION, versions } from "../start/versions.ts";

export function support(
  { config }: LoadedConfig,
  rules: readonly RulesText[],
  terminal: Terminal,
): number {
  const report = {
    version: SAKER_VERSION,
    engine_info: versions(),
    cmdline: ["saker", ...Deno.args].join(" "),
    // Falco gives the configuration as flow YAML; JSON is that too.
    config: JSON.stringify({ ...config, webserver: withoutToken(config.webserver) }),
    rules_files: rules.map(({ name, text }) => ({ name, variants: [{ content: text }] })),
    system_info: {
      machine: Deno.build.arch,
      nodename: Deno.hostname(),
      release: Deno.osRelease(),
      sysname: "Linux",
      version: kernelVersion(),
    },
  };
  terminal.out(`${JSON.stringify(report)}\n`);
  return 0;
}

/** A report is sent to others. */
function withoutToken(webserver: Config["webserver"]): Config["webserver"] {
  return webserver.token === "" ? webserver : { ...webserver, token: "(not shown)" };
}

function kernelVersion(): string {
  try {
    return Deno.readTextFileSync("/proc/sys/kernel/version").trim();
  } catch {
    return "";
  }
}
