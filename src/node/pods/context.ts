import type { Pod, Service } from "../../api/generated/types.ts";
import type { EventRecorder } from "../../client/events.ts";
import type { Client } from "../../client/client.ts";
import type { Host } from "../../host/host.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { Lookups } from "../environment/lookups.ts";
import type { Resolver } from "../../api/pod/resolver.ts";
import type { VolumeKeeper } from "../volumes/keeper.ts";
import type { Refusal, Runtime } from "../runtimes/runtime.ts";
import type { PodNetwork, Sandbox } from "../sandbox/sandbox.ts";
import type { PodRecords } from "../state/pod-record.ts";

/** What all pods of a node share. */
export interface PodContext {
  readonly client: Client;
  readonly host: Host;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly events: EventRecorder;
  readonly runtimes: Runtimes;
  /** Resolves when the runtimes are prepared and Services have been listed once: no container starts before (DNS-167). */
  readonly ready: Promise<void>;
  readonly records: PodRecords;
  /** Runs the setting up of a pod when fewer than the allowed number are being set up. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  /** Runs the start of a container when fewer than the allowed number are being started. */
  readonly startInTurn: <T>(work: () => Promise<T>) => Promise<T>;
  /**
   * Resolves when no proxy sends this pod new connections any more; asked once the pod is seen to be ending and before anything of it is
   * ended, when it was ready. The signal comes with the end of its grace: then it ends all the same.
   */
  readonly proxiesKnow: (pod: Pod, signal: AbortSignal) => Promise<void>;
  readonly lookups: (namespace: string) => Lookups;
  readonly services: () => Iterable<Service>;
  readonly nodeName: string;
  readonly nodeAddresses: readonly string[];
  /** The host name of the machine, which pods on its network have. */
  readonly hostname: string;
  /** Resource name → quantity: what containers without a limit are told that they may use. */
  readonly allocatable: Readonly<Record<string, string>>;
  readonly networks: Readonly<Record<Sandbox["network"], PodNetwork>>;
  readonly files: PodFiles;
  readonly volumes: VolumeKeeper;
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
  /** The host's; undefined: pods are to have none of it (DNS-112). */
  readonly resolver: () => Promise<Resolver | undefined>;
}

/** The runtimes of a node. */
export interface Runtimes {
  /** The one that the pod asks for with `runtimeClassName`, else the node's own choice; or why there is none. */
  of(pod: Pod): Runtime | Refusal;
  /** By its name, as a record keeps it. Throws when this node has none of that name. */
  named(name: string): Runtime;
}

/** Where the files of a pod are. */
export interface PodFiles {
  /** Its hosts, resolv.conf and hostname, and a directory for each start of a container. */
  pod(uid: string): string;
  volumes(uid: string): string;
  logs(pod: { readonly namespace: string; readonly name: string; readonly uid: string }): string;
}
