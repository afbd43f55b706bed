// A server that speaks Kubernetes' API over TLS as far as saker asks it: lists in pages, streams of
// changes from a version on, bookmarks, single objects, metadata alone where it is asked for that,
// and what goes wrong with real ones (401, 403, 410, cut connections). Tests change its objects.
import { assert } from "../expect.ts";

export interface ApiObject {
  readonly metadata: {
    readonly uid: string;
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly Readonly<Record<string, unknown>>[];
    resourceVersion?: string;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

type Resource =
  | "pods"
  | "namespaces"
  | "services"
  | "replicasets"
  | "deployments"
  | "replicationcontrollers";

interface Change {
  readonly resource: Resource;
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: ApiObject;
}

/** Pages are short, so that lists have several. */
const PAGE = 2;
const NAMED = /^\/(?:api\/v1|apis\/apps\/v1)\/(?:namespaces\/([^/]+)\/)?([a-z]+)(?:\/([^/]+))?$/;
const encoder = new TextEncoder();

export class ApiServer implements AsyncDisposable {
  readonly port: number;
  /** Whoever shows another is refused. */
  token: string;
  /** Resources that nobody may see. */
  readonly forbidden = new Set<Resource>();
  /** By resource, how often it was listed from its first page on. */
  readonly lists = new Map<string, number>();
  readonly #pem: { readonly cert: string; readonly key: string };
  readonly #objects = new Map<string, { resource: Resource; object: ApiObject }>();
  #changes: Change[] = [];
  #version = 100;
  /** Changes before it are forgotten. */
  #oldest = 0;
  readonly #streams = new Set<(change: Change | undefined) => void>();
  #server: Deno.HttpServer | undefined;

  /** `certificates`: a directory with `server.pem` and `server.key`. */
  constructor(port: number, certificates: string, token: string) {
    this.port = port;
    this.token = token;
    const read = (name: string) => Deno.readTextFileSync(`${certificates}/${name}`);
    this.#pem = { cert: read("server.pem"), key: read("server.key") };
  }

  start(): void {
    this.#server = Deno.serve({
      ...{ hostname: "127.0.0.1", port: this.port, ...this.#pem },
      onListen() {},
      onError: (error) => {
        throw error;
      },
    }, (request) => this.#answer(request));
  }

  /** Ends with all streams; objects stay. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.cut();
    await server?.shutdown();
  }

  /** Ends all streams of changes. */
  cut(): void {
    for (const end of [...this.#streams]) end(undefined);
  }

  /** As etcd does after a while: who follows from before has to list anew. */
  forget(): void {
    this.#version += 10;
    this.#oldest = this.#version;
    this.#changes = [];
  }

  put(resource: Resource, object: ApiObject): void {
    const { uid } = object.metadata;
    const type = this.#objects.has(uid) ? "MODIFIED" : "ADDED";
    const version = ++this.#version;
    const own = { ...object, metadata: { ...object.metadata, resourceVersion: `${version}` } };
    this.#objects.set(uid, { resource, object: own });
    this.#tell({ resource, version, type, object: own });
  }

  remove(uid: string): void {
    const found = this.#objects.get(uid);
    assert(found !== undefined, `there is no object ${uid}`);
    this.#objects.delete(uid);
    const version = ++this.#version;
    this.#tell({ ...found, version, type: "DELETED" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #tell(change: Change): void {
    this.#changes.push(change);
    for (const take of this.#streams) take(change);
  }

  #answer(request: Request): Response {
    const { pathname, searchParams } = new URL(request.url);
    if (request.headers.get("authorization") !== `Bearer ${this.token}`) {
      return status(401, "Unauthorized");
    }
    if (pathname === "/version") return Response.json({ gitVersion: "v1.33.0-test" });
    const [, namespace, name, item] = NAMED.exec(pathname) ?? [];
    const resource = name as Resource;
    if (resource === undefined) return status(404, `no ${pathname} here`);
    if (this.forbidden.has(resource)) {
      return status(403, `${resource} is forbidden: User "saker" cannot list resource`);
    }
    const onlyMeta = /;as=PartialObjectMetadata/.test(request.headers.get("accept") ?? "");
    const shown = (object: ApiObject) => onlyMeta ? { metadata: object.metadata } : object;
    if (item !== undefined) {
      const found = this.#of(resource, searchParams).find(({ metadata }) =>
        metadata.name === item && metadata.namespace === namespace
      );
      return found === undefined
        ? status(404, `${resource} "${item}" not found`)
        : Response.json(shown(found));
    }
    return searchParams.get("watch") === "true"
      ? this.#follow(resource, searchParams, shown)
      : this.#list(resource, searchParams, shown);
  }

  #of(resource: Resource, asked: URLSearchParams): ApiObject[] {
    const isChosen = choice(asked);
    return [...this.#objects.values()]
      .filter((one) => one.resource === resource && isChosen(one.object))
      .map(({ object }) => object);
  }

  #list(
    resource: Resource,
    asked: URLSearchParams,
    shown: (object: ApiObject) => unknown,
  ): Response {
    const from = Number(asked.get("continue") || 0);
    if (from === 0) this.lists.set(resource, (this.lists.get(resource) ?? 0) + 1);
    const all = this.#of(resource, asked);
    const rest = from + PAGE < all.length ? `${from + PAGE}` : "";
    return Response.json({
      kind: "List",
      metadata: { resourceVersion: `${this.#version}`, ...(rest === "" ? {} : { continue: rest }) },
      items: all.slice(from, from + PAGE).map(shown),
    });
  }

  #follow(
    resource: Resource,
    asked: URLSearchParams,
    shown: (object: ApiObject) => unknown,
  ): Response {
    const from = Number(asked.get("resourceVersion"));
    const isChosen = choice(asked);
    let take: (change: Change | undefined) => void;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const line = (type: string, object: unknown) =>
          controller.enqueue(encoder.encode(`${JSON.stringify({ type, object })}\n`));
        take = (change) => {
          if (change === undefined) {
            this.#streams.delete(take);
            return controller.close();
          }
          if (change.resource !== resource || !isChosen(change.object)) return;
          if (change.version > from) line(change.type, shown(change.object));
        };
        if (from < this.#oldest) {
          line("ERROR", { kind: "Status", code: 410, message: "too old resource version" });
          return controller.close();
        }
        this.#streams.add(take);
        this.#changes.forEach(take);
        if (asked.get("allowWatchBookmarks") === "true") {
          line("BOOKMARK", { metadata: { resourceVersion: `${this.#version}` } });
        }
      },
      cancel: () => {
        this.#streams.delete(take);
      },
    });
    return new Response(body, { headers: { "content-type": "application/json" } });
  }
}

function choice(asked: URLSearchParams): (object: ApiObject) => boolean {
  const node = /^spec\.nodeName=(.*)$/.exec(asked.get("fieldSelector") ?? "")?.[1];
  return ({ spec }) => node === undefined || spec?.["nodeName"] === node;
}

function status(code: number, message: string): Response {
  return Response.json({ kind: "Status", status: "Failure", message, code }, { status: code });
}
