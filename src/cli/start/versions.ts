// What this saker is and what of Falco it is compatible with: `--version` and GET /versions.

export const SAKER_VERSION = "0.1.0";

/**
 * The release of Falco whose rules, configuration and output saker follows. Where nothing else is
 * known of it, saker does what 0.44.1 does, which it is held against (docs/compare.md).
 */
const FALCO_VERSION = "0.45.0";
const HELD_AGAINST = "0.44.1";
const ENGINE_VERSION = "0.63.0";
/** Of the API; 10.2.0 is the number of 0.44.1's driver, whose API is this one. */
const DRIVER_API_VERSION = "10.1.0";
export const DRIVER_SCHEMA_VERSION = "4.5.1";
const PLUGIN_API_VERSION = "3.12.0";

/** Of the driver and the libraries that are part of saker, in the shape that scripts take apart. */
const OWN_VERSION = `${SAKER_VERSION}+saker`;

type Versions = Readonly<Record<string, string>>;

/** Falco's version JSON with `saker_version` beside; keys sorted. `plugins`: those that are
 * loaded. */
export function versions(plugins: Versions = {}) {
  return {
    default_driver_version: OWN_VERSION,
    driver_api_version: DRIVER_API_VERSION,
    driver_schema_version: DRIVER_SCHEMA_VERSION,
    engine_version: ENGINE_VERSION.split(".")[1]!,
    engine_version_semver: ENGINE_VERSION,
    falco_version: FALCO_VERSION,
    libs_version: OWN_VERSION,
    plugin_api_version: PLUGIN_API_VERSION,
    ...(Object.keys(plugins).length === 0 ? {} : { plugin_versions: plugins }),
    saker_version: SAKER_VERSION,
  };
}

/** Falco's lines, as scripts read them, behind one of ours. */
export function versionText(): string {
  return [
    `saker version: ${SAKER_VERSION} (held against Falco ${HELD_AGAINST})`,
    `Falco version: ${FALCO_VERSION}`,
    `Libs version:  ${OWN_VERSION}`,
    `Plugin API:    ${PLUGIN_API_VERSION}`,
    `Engine:        ${ENGINE_VERSION}`,
    "Driver:",
    `  API version:    ${DRIVER_API_VERSION}`,
    `  Schema version: ${DRIVER_SCHEMA_VERSION}`,
    `  Default driver: ${OWN_VERSION}`,
    "",
  ].join("\n");
}
