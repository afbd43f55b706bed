// `plugins` and `load_plugins` of a configuration that was read: what is wrong with them goes out.
// For Falco's container, k8saudit, json and k8smeta plugins saker has parts of its own, which take
// the same `init_config` and `open_params`.
import { AUDIT_INIT, AUDIT_PLUGIN, JSON_INIT, readOpenParams } from "./audit_plugin.ts";
import { CONTAINER_INIT, containerRemarks, type ContainerSettings } from "./container_plugin.ts";
import type { Where } from "./hold_tree.ts";
import {
  K8SMETA_INIT,
  K8SMETA_PLUGIN,
  type K8smetaInit,
  k8smetaMistake,
} from "./k8smeta_plugin.ts";
import { isShippedModule, pathMistake } from "./library_plugins.ts";
import { BUILT_IN_NAMES, isOurs, loadedNames, readInit } from "./plugin_entry.ts";
import { ConfigError, type ConfigProblem, keyText } from "./problem.ts";
import { notReadable } from "./readable_names.ts";
import type { Config } from "./schema.ts";
import type { Shape } from "./shape.ts";

const INITS: Readonly<Record<string, Shape<unknown>>> = {
  container: CONTAINER_INIT,
  [AUDIT_PLUGIN]: AUDIT_INIT,
  json: JSON_INIT,
  [K8SMETA_PLUGIN]: K8SMETA_INIT,
};

/** Throws a ConfigError where an entry cannot be meant; returns what else there is to tell. */
export function checkPlugins(config: Config, where: Where): ConfigProblem[] {
  const { plugins } = config;
  const problems: ConfigProblem[] = [];
  const refuse = (path: readonly PropertyKey[], message: string): never => {
    throw new ConfigError(where(path), keyText(path), message);
  };
  const wanted = loadedNames(config);
  for (const [index, name] of wanted.entries()) {
    if (BUILT_IN_NAMES.includes(name) || plugins.some((entry) => entry.name === name)) continue;
    if (name === "") continue;
    refuse(
      ["load_plugins", index],
      `Cannot load plugin '${name}': plugin config not found for given name`,
    );
  }
  for (const [at, entry] of plugins.entries()) {
    const { name, open_params } = entry;
    if (name === "") refuse(["plugins", at, "name"], "expected the name of a plugin");
    if (plugins.findIndex((other) => other.name === name) < at) {
      const path = ["plugins", at, "name"];
      const message = `there is a plugin ${name} before it: this one is ignored`;
      problems.push({ severity: "warning", where: where(path), key: keyText(path), message });
      continue;
    }
    if (!wanted.includes(name)) continue;
    const init = isOurs(config, name) ? INITS[name] : undefined;
    if (init === undefined) {
      const mistake = isShippedModule(entry) ? undefined : pathMistake(entry.library_path);
      if (mistake !== undefined) refuse(["plugins", at, "library_path"], mistake);
      continue;
    }
    const read = readInit(init, { at, entry }, where);
    problems.push(...read.problems);
    if (name === "container") {
      const remarks = containerRemarks(read.value as ContainerSettings);
      for (const { path, message, isError } of remarks) {
        const inside = ["plugins", at, "init_config", ...path];
        if (isError) refuse(inside, message);
        problems.push({
          severity: "notice",
          where: where(inside),
          key: keyText(inside),
          message,
        });
      }
    }
    // The runtime opens no file whose name is no UTF-8.
    const names = { open_params, ...read.value as Record<string, unknown> };
    for (const [key, value] of Object.entries(names)) {
      if (typeof value !== "string" || value.isWellFormed()) continue;
      const path = key === "open_params" ? [key] : ["init_config", key];
      refuse(["plugins", at, ...path], notReadable(value));
    }
    const mistake = name === K8SMETA_PLUGIN ? k8smetaMistake(read.value as K8smetaInit) : undefined;
    if (mistake !== undefined) {
      refuse(["plugins", at, "init_config", mistake.key], mistake.message);
    }
    const input = name === AUDIT_PLUGIN ? readOpenParams(open_params) : undefined;
    if (input === undefined || !("error" in input)) continue;
    refuse(["plugins", at, "open_params"], `${input.error}, found "${open_params}"`);
  }
  return problems;
}
