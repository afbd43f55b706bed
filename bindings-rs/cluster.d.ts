// What the native addon offers of Kubernetes: a part of index.d.ts.

/** A text, or the file that it stands in, which is read anew whenever it is needed. */
export interface ClusterSource {
  file: string;
  text: string;
}

export interface ClusterOptions {
  /** Falco's k8s-metacollector is asked over gRPC, not the API server. */
  isCollector: boolean;
  host: string;
  port: number;
  /** Over TLS. */
  secure: boolean;
  /** As the server's certificate has it; "": the host. */
  serverName: string;
  /** In front of every path of the API. */
  prefix: string;
  /** Pods of this node alone are asked for. */
  node: string;
  authorities: ClusterSource;
  token: ClusterSource;
  certificate: ClusterSource;
  key: ClusterSource;
}

export interface ClusterState {
  /** Pods of this node are followed. */
  up: boolean;
  /** There was an outcome of the first attempt, whatever it is. */
  tried: boolean;
  version: string;
  /** Why pods are not followed, or what else is not known; "" where all is well. */
  trouble: string;
  pods: number;
  objects: number;
  connects: number;
  answers: number;
  failures: number;
  /** Lists that were asked for anew, since what followed them was gone. */
  relists: number;
  /** Objects that a bound refused. */
  refused: number;
  /** News that found no room, and are told later. */
  dropped: number;
}

/** Asks about the pods of this node and what they belong to, on a thread of its own. */
export class Cluster {
  static start(options: ClusterOptions): Cluster;
  /** Lends memory whose first number is how many news wait, until other memory is lent. */
  lend(words: Uint32Array): void;
  /** What has become known since the last call, at most so many: the JSON of `k8s` events. */
  take(max: number): string[];
  state(): ClusterState;
}
