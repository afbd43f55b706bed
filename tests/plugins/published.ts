// Falco's published plugins, as somebody has built or fetched them: SAKER_TEST_PLUGINS names the
// directory of their libraries (libNAME.so). Out: what is known of each that can be tried without a
// cloud, a broker or a token, and where its library lies.
import { isFile } from "../live/trigger.ts";

const DIRECTORY = Deno.env.get("SAKER_TEST_PLUGINS") ?? "";

export interface Published {
  readonly name: string;
  /** Its own source; empty: it has none. */
  readonly source: string;
  /** Some of its fields. */
  readonly fields: readonly string[];
  /** What it is given without which it does not begin. */
  readonly initConfig?: unknown;
  /** How it comes by events: none, where that takes what tests do not have. */
  readonly run?: Run;
}

export interface Run {
  /** Files to be written, by their name below the test's directory. */
  readonly files?: Readonly<Record<string, string>>;
  /** `DIR` stands for that directory. */
  readonly open: string;
  readonly condition: string;
  /** Fields of the output, and what they are in the only alert, or in the last of so many. */
  readonly output: Readonly<Record<string, unknown>>;
  readonly alerts: number;
  /** Another plugin that is needed to have events or values. */
  readonly beside?: string;
}

const NUMBERS: Omit<Run, "condition"> = {
  open: '{"start": 1, "maxEvents": 20}',
  output: {},
  alerts: 20,
};

const AUDIT_EVENT = JSON.stringify({
  ...{ kind: "Event", apiVersion: "audit.k8s.io/v1", level: "Request", stage: "ResponseComplete" },
  ...{ auditID: "8f3c", requestURI: "/api/v1/namespaces/space/pods", verb: "create" },
  user: { username: "alice", groups: ["system:authenticated"] },
  objectRef: { resource: "pods", namespace: "space", name: "box", apiVersion: "v1" },
  responseStatus: { code: 201 },
  requestObject: { kind: "Pod", spec: { containers: [{ name: "a", image: "one:1" }] } },
  requestReceivedTimestamp: "2026-01-02T03:04:05.678901Z",
  stageTimestamp: "2026-01-02T03:04:05.678902Z",
});

const LOGIN = JSON.stringify({
  Records: [{
    ...{ eventVersion: "1.08", eventID: "e-1", eventType: "AwsConsoleSignIn" },
    userIdentity: { type: "Root", accountId: "1", userName: "root" },
    ...{ eventTime: "2026-01-02T03:04:05Z", eventSource: "signin.amazonaws.com" },
    ...{ eventName: "ConsoleLogin", awsRegion: "us-east-1", sourceIPAddress: "203.0.113.7" },
    responseElements: { ConsoleLogin: "Success" },
  }],
});

const OF_CLOUDS = ["eks", "gke", "aks", "ovh"];

export const PUBLISHED: readonly Published[] = [
  ...["dummy", "dummy_c", "dummy_rs"].map((name) => ({
    name,
    source: name,
    fields: ["dummy.value", "dummy.strvalue"],
    initConfig: { jitter: 3 },
    run: { ...NUMBERS, condition: "dummy.value > 0 and dummy.strvalue != 0" },
  })),
  {
    name: "k8saudit",
    source: "k8s_audit",
    fields: ["ka.verb", "ka.req.pod.containers.image"],
    run: {
      files: { "audit.jsonl": `${AUDIT_EVENT}\n` },
      open: "DIR/audit.jsonl",
      condition: "ka.verb = create and ka.req.pod.containers.image intersects (one:1)",
      output: { "ka.user.name": "alice", "ka.target.name": "box", "ka.response.code": "201" },
      alerts: 1,
    },
  },
  {
    name: "json",
    source: "",
    fields: ["json.value", "jevt.value", "json.rawtime"],
    run: {
      files: { "audit.jsonl": `${AUDIT_EVENT}\n` },
      open: "DIR/audit.jsonl",
      condition: "json.value[/verb] = create and jevt.value[/objectRef/name] exists",
      output: { "json.value[/requestObject/spec/containers/0/image]": "one:1" },
      alerts: 1,
      beside: "k8saudit",
    },
  },
  {
    name: "cloudtrail",
    source: "aws_cloudtrail",
    fields: ["ct.name", "ct.user", "ct.srcip"],
    run: {
      files: { "trail/one.json": LOGIN },
      open: "DIR/trail",
      condition: "ct.name = ConsoleLogin and ct.srcip = 203.0.113.7",
      output: { "ct.user": "root", "ct.region": "us-east-1" },
      alerts: 1,
    },
  },
  ...OF_CLOUDS.map((cloud) => ({
    ...{ name: `k8saudit-${cloud}`, source: "k8s_audit", fields: ["ka.verb"] },
  })),
  { name: "gcpaudit", source: "gcp_auditlog", fields: ["gcp.user"] },
  { name: "github", source: "github", fields: ["github.type"] },
  { name: "okta", source: "okta", fields: ["okta.evt.type"] },
  { name: "collector", source: "collector", fields: [] },
  { name: "kafka", source: "kafka", fields: [] },
  { name: "k8smeta", source: "", fields: ["k8smeta.pod.name"] },
  { name: "anomalydetection", source: "", fields: ["anomaly.falco.duration_ns"] },
  { name: "container", source: "", fields: ["container.id", "container.label", "k8s.pod.name"] },
];

/** Those to be tried; without a directory none is, which one test says for all. */
export const ASKED_FOR: readonly Published[] = DIRECTORY === "" ? [] : PUBLISHED;

/** Why the plugin is not tried; undefined: its library is there. */
export function whyNot(name: string): string | undefined {
  if (DIRECTORY === "") return "SAKER_TEST_PLUGINS names no directory";
  return isFile(libraryOf(name)) ? undefined : `there is no ${libraryOf(name)}`;
}

export function libraryOf(name: string): string {
  return `${DIRECTORY}/lib${name}.so`;
}

/** A test's name and whether it is left out, which its name says. */
export function named(name: string, why: string | undefined): { name: string; ignore: boolean } {
  return {
    name: why === undefined ? name : `${name} (skipped: ${why})`,
    ignore: why !== undefined,
  };
}
