// A saker of its own that judges audit events alone, with a rule on each of them: events are made
// with a marker in their user's name, and what saker says of them is given back by their numbers.
import { eventually, Saker } from "./saker.ts";
import { Place } from "./trigger.ts";

const RULES = `
- rule: Audit event seen
  desc: Every event.
  condition: ka.verb exists
  output: Seen (user=%ka.user.name id=%ka.auditid verb=%ka.verb)
  priority: NOTICE
  source: k8s_audit
`;

export interface PluginOptions {
  readonly openParams?: string;
  /** Of init_config, as lines of a map. */
  readonly init?: Readonly<Record<string, string | number>>;
  /** More of falco.yaml. */
  readonly more?: string;
}

export class AuditScene implements AsyncDisposable {
  readonly place = new Place();
  #saker: Saker | undefined;

  get saker(): Saker {
    return this.#saker!;
  }

  file(name: string): string {
    return this.place.file(name);
  }

  /** As a falco.yaml of Falco names its plugins. */
  async start({ openParams = "", init = {}, more = "" }: PluginOptions = {}): Promise<Saker> {
    const config = this.file("falco.yaml");
    const lines = Object.entries({ useAsync: "false", ...init })
      .map(([key, value]) => `      ${key}: ${value}\n`).join("");
    Deno.writeTextFileSync(
      config,
      `load_plugins: [k8saudit, json]
plugins:
  - name: k8saudit
    library_path: libk8saudit.so
    init_config:
${lines}    open_params: "${openParams}"
  - {name: json, library_path: libjson.so, init_config: ""}
json_output: true
${more}`,
    );
    Deno.writeTextFileSync(this.file("rules.yaml"), RULES);
    const args = ["-c", config, "-r", this.file("rules.yaml"), "--enable-source=k8s_audit"];
    this.#saker = await Saker.start([this.place.marker], { args });
    return this.#saker;
  }

  /** One event as an API server writes it, of so many bytes at least. */
  event(number: number, bytes = 0): string {
    return JSON.stringify({
      kind: "Event",
      apiVersion: "audit.k8s.io/v1",
      level: "Metadata",
      auditID: `id-${number}`,
      stage: "ResponseComplete",
      requestURI: `/api/v1/namespaces/default/pods?x=${"x".repeat(bytes)}`,
      verb: "get",
      user: { username: this.place.marker, groups: ["system:masters"] },
      objectRef: { resource: "pods", namespace: "default", apiVersion: "v1" },
      responseStatus: { code: 200 },
      requestReceivedTimestamp: "2026-01-02T03:04:05.678901Z",
      stageTimestamp: "2026-01-02T03:04:05.678901Z",
    });
  }

  list(numbers: readonly number[]): string {
    const items = numbers.map((number) => this.event(number)).join(",");
    return `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${items}]}\n`;
  }

  /** Numbers of the events that alerts were seen of, as often as they were. */
  seen(): number[] {
    return this.saker.alerts()
      .map(({ output_fields }) => Number(String(output_fields["ka.auditid"]).slice(3)))
      .sort((one, other) => one - other);
  }

  /** Waits until each of these was seen. */
  async sees(...numbers: readonly number[]): Promise<void> {
    await eventually(`events ${numbers.join()}`, () => {
      const seen = new Set(this.seen());
      return numbers.every((number) => seen.has(number)) || undefined;
    });
  }

  /** What /healthz tells of audit events. */
  async told(): Promise<Told> {
    return (await this.saker.health())!.body["k8s_audit"] as Told;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#saker?.stop();
    await this.place[Symbol.asyncDispose]();
  }
}

export interface Told {
  readonly webhook: {
    readonly requests: number;
    readonly taken: number;
    readonly events: number;
    readonly malformed: number;
    readonly waiting: number;
    readonly refused: Readonly<Record<string, number>>;
  };
  readonly files: {
    readonly files: number;
    readonly events: number;
    readonly malformed: number;
    readonly too_long: number;
    readonly rotated: number;
    readonly shortened: number;
  };
}
