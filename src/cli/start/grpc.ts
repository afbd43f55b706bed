// Config → the gRPC server of a run: made when a configuration wants it, kept over reloads that
// leave it as it is, so that its clients stay. Files that it names are read here.
import { type GrpcEvent, GrpcService } from "../../alerts/outputs/grpc_service.ts";
import { type GrpcAddress, parseGrpcAddress } from "../../config/address.ts";
import type { Config } from "../../config/schema.ts";
import { type GrpcOptions, loadAddon } from "../../engine/host/addon.ts";
import { readKeyFile } from "../../files/read_text.ts";
import { isLoopbackAddress } from "../../server/rights.ts";
import type { Log } from "../log.ts";
import { versions } from "./versions.ts";

const PEM_BYTES_MAX = 1 << 20;
/** What may wait for one client, beside the number of alerts. */
const BYTES_MAX = 8 << 20;

type DropEvent = Extract<GrpcEvent, { readonly kind: `dropp${string}` }>;

export interface KeeperOptions {
  readonly log: Pick<Log, "info" | "warning">;
  /** Alerts that clients miss. */
  readonly onDrop: (event: DropEvent) => void;
}

export class GrpcKeeper {
  readonly #addon = once(loadAddon);
  #kept: { readonly key: string; readonly service: GrpcService } | undefined;
  #before: Promise<void> | undefined;

  /** Throws where `serve` would. */
  check(config: Config, alertsMax: number): void {
    if (config.grpc.enabled) this.#addon().GrpcServer.make(optionsOf(config, alertsMax));
  }

  /** The server that the configuration wants; one that it does not want any more ends. Throws where
   * it cannot be. */
  serve(
    config: Config,
    alertsMax: number,
    { log, onDrop }: KeeperOptions,
  ): GrpcService | undefined {
    const options = config.grpc.enabled ? optionsOf(config, alertsMax) : undefined;
    const key = JSON.stringify(options);
    if (this.#kept !== undefined && this.#kept.key === key) return this.#kept.service;
    const server = options === undefined ? undefined : this.#addon().GrpcServer.make(options);
    this.#before = this.end();
    if (server === undefined) return undefined;
    const told = `grpc.bind_address ${config.grpc.bind_address}`;
    const service = new GrpcService({
      server,
      after: this.#before,
      onEvent(event): void {
        switch (event.kind) {
          case "listening":
            return log.info(`gRPC clients are served at ${whereOf(config.grpc, event.port)}`);
          case "not listening":
            return log.warning(
              `Warning: Cannot listen on ${told}: ${event.reason}; saker goes on without it and ` +
                "tries again",
            );
          default:
            return onDrop(event);
        }
      },
    });
    this.#kept = { key, service };
    return service;
  }

  /** Ends the server that there is; undefined where there is none, nor one that is ending. */
  end(): Promise<void> | undefined {
    const service = this.#kept?.service;
    this.#kept = undefined;
    return service?.end() ?? this.#before;
  }
}

type Settings = Config["grpc"];

function optionsOf({ grpc, webserver }: Config, alertsMax: number): GrpcOptions {
  const address = parseGrpcAddress(grpc.bind_address)!;
  const { falco_version, engine_version, saker_version } = versions();
  return {
    ...placeOf(grpc, address, webserver.alerts_for === "anyone"),
    version: {
      version: falco_version!,
      parts: falco_version!.split(".").map(Number),
      build: `saker-${saker_version}`,
      engineVersion: Number(engine_version),
    },
    alertsMax,
    bytesMax: BYTES_MAX,
  };
}

const CERTIFICATES = ["private_key", "cert_chain", "root_certs"] as const;

/** Over TCP with certificates of both sides, as in Falco; over a socket of the file system its mode
 * says who may connect. */
function placeOf(
  grpc: Settings,
  address: GrpcAddress,
  isForAnyone: boolean,
): Pick<GrpcOptions, "unixPath" | "address" | "port" | "tls"> {
  if (address.kind === "unix") return { unixPath: address.path };
  const where = { address: address.address, port: address.port };
  const empty = CERTIFICATES.filter((key) => grpc[key] === "");
  if (empty.length === CERTIFICATES.length) {
    const isLocal = isLoopbackAddress(address.address);
    if (isLocal && isForAnyone) return where;
    throw new Error(
      `grpc.bind_address: ${grpc.bind_address} is reached by ` +
        (isLocal ? "every user of this host" : "other hosts") +
        ", who would read all alerts: set grpc.private_key, grpc.cert_chain and grpc.root_certs, " +
        `or take a unix:/// address${isLocal ? ", or set webserver.alerts_for: anyone" : ""}`,
    );
  }
  if (empty.length > 0) {
    throw new Error(`grpc.${empty[0]}: it is empty, expected a file: certificates of both sides`);
  }
  const [privateKey, certChain, rootCerts] = CERTIFICATES.map((key) => pem(key, grpc[key]));
  return {
    ...where,
    tls: { privateKey: privateKey!, certChain: certChain!, rootCerts: rootCerts! },
  };
}

function pem(key: string, path: string): { name: string; text: string } {
  return {
    name: `grpc.${key}: ${path}`,
    text: readKeyFile(`grpc.${key}`, path, PEM_BYTES_MAX),
  };
}

/** With the port that the system chose where 0 was asked for. */
function whereOf({ bind_address }: Settings, port: number): string {
  return port === 0 ? bind_address : bind_address.replace(/\d+$/, String(port));
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}
