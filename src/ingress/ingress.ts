import type { Client } from "../client/client.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Part } from "../observe/part.ts";
import type { IngressEngine } from "./engine.ts";

/** Where the controller is exposed: what `status.loadBalancer.ingress` of its Ingresses says (CTL-152). */
export type Exposure =
  | { readonly addresses: readonly string[] }
  /** A Service of type LoadBalancer, `namespace/name`, whose addresses are taken. */
  | { readonly service: string };

export interface IngressOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly engine: IngressEngine;
  /** `spec.controller` of the classes that are ours; `fairlead.dev/ingress`. */
  readonly controller: string;
  /** Take Ingresses without a class, too (CTL-151). */
  readonly withoutClass: boolean;
  /** Only this namespace; undefined: all. */
  readonly namespace: string | undefined;
  readonly exposure: Exposure | undefined;
  /** `namespace/name` of the Service that answers where no rule matches; undefined: 404 of our own. */
  readonly defaultBackend: string | undefined;
  /** `namespace/name` of the certificate where none is given; undefined: one is made here. */
  readonly defaultCertificate: string | undefined;
  /** `namespace/name` of the Secret with the key of session cookies; `kube-system/fairlead-ingress-cookie`. Made where it is not there. */
  readonly cookieSecret: string;
  /** Of the replicas one writes status: the holder of Lease `kube-system/fairlead-ingress`. This one's name in it. */
  readonly identity: string;
}

export interface IngressController extends Part {
  /** Resolves when the first plan is carried. */
  readonly ready: Promise<void>;
  readonly isReady: boolean;
  /** Ends; the engine is the caller's to stop. */
  stop(): Promise<void>;
}
