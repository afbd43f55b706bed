// What a connection to Kafka is made with: brokers, certificates, who we are there, the topic.

export interface KafkaAddress {
  readonly hostname: string;
  readonly port: number;
}

export const MECHANISMS = ["plain", "scram-sha-256", "scram-sha-512"] as const;
export type Mechanism = (typeof MECHANISMS)[number];

/** `read` gives what the file holds now; it throws in words where it cannot. */
export interface KafkaCredentials {
  readonly mechanism: Mechanism;
  readonly user: string;
  readonly read: () => string;
}

export interface KafkaTls {
  /** PEM. */
  readonly caCerts: readonly string[];
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export interface KafkaOptions {
  /** Those that are asked where the others are; one that answers is enough. */
  readonly brokers: readonly KafkaAddress[];
  readonly topic: string;
  /** How the topic is made where it is not there; undefined: not at all. */
  readonly made: MadeTopic | undefined;
  readonly tls: KafkaTls | undefined;
  readonly credentials: KafkaCredentials | undefined;
  readonly gzip: boolean;
  /** Of a connection, and of an answer. */
  readonly timeoutMs: number;
}

export interface MadeTopic {
  /** 0: as many as the brokers make by themselves. */
  readonly partitions: number;
  readonly replicas: number;
  /** 0: as long as the brokers keep by themselves. */
  readonly maxAgeMs: number;
}
