import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EndpointSlice, Namespace, Service } from "../../../src/api/generated/types.ts";
import { keyOf, type KubeObject, type Resource } from "../../../src/api/object.ts";
import { endpointSlices, namespaces, nodes, services } from "../../../src/api/resources.ts";
import type { Host, Running } from "../../../src/host/host.ts";
import type { NodePlan } from "../../../src/proxy/plan/plan.ts";
import { until } from "../../lab/until.ts";
import { PODS, type Network } from "../lab/network.ts";
import { clusterIP, service, slices } from "../lab/objects.ts";
import type { NodeApi } from "./api.ts";
import { configurationOf, type KubeProxyMode } from "./configuration.ts";

/** A Service that nobody else calls: its answers tell how far kube-proxy has come. */
const MARKER = 253;

/** A Service with what the allocator of a whole API server would have written. */
function completed(made: Service): Service {
  const { type, externalTrafficPolicy, clusterIP: ip = "", clusterIPs = [] } = made.spec ?? {};
  const ipFamilies = clusterIPs.map((one) => (one.includes(":") ? "IPv6" : "IPv4"));
  const last = ip.split(/[.:]/).at(-1)!;
  const port = 31_000 + Number.parseInt(last, ip.includes(":") ? 16 : 10);
  return {
    ...made,
    spec: {
      ...made.spec,
      ...(ipFamilies.length === 0
        ? {}
        : { ipFamilies, ipFamilyPolicy: ipFamilies.length === 2 ? "RequireDualStack" : "SingleStack" }),
      ...(type === "LoadBalancer" && externalTrafficPolicy === "Local" ? { healthCheckNodePort: port } : {}),
    },
  };
}

/** Where the marker leads, in turn: rules that an earlier carrier left must not be taken for new ones. */
const MARKED = ["pod1", "pod2"] as const;
let turn = 0;

interface Stored {
  readonly resource: Resource;
  readonly object: KubeObject & { readonly status?: unknown };
}

/** Carries Services as `Carried` does, by a real kube-proxy that watches an API server. */
export class KubeProxyCarrier {
  readonly #wanted = new Map<string, Stored>();
  readonly #there = new Map<string, Stored>();
  readonly #network: Network;
  readonly #api: NodeApi;
  readonly #begin: () => Promise<void>;
  readonly #marker = completed(service("marker", MARKER));
  #begun = false;
  readonly engine: { cleanup(): Promise<void> };

  constructor(network: Network, api: NodeApi, begin: () => Promise<void>, cleanup: () => Promise<void>) {
    this.#network = network;
    this.#api = api;
    this.#begin = begin;
    this.engine = { cleanup };
  }

  set(made: Service, parts: readonly EndpointSlice[]): void {
    this.#want(services, completed(made));
    for (const part of parts) this.#want(endpointSlices, part);
  }

  remove(made: Service, parts: readonly EndpointSlice[]): void {
    this.#wanted.delete(`services ${keyOf(made)}`);
    for (const part of parts) this.#wanted.delete(`endpointslices ${keyOf(part)}`);
  }

  setPlan(): never {
    throw new Error("telling kube-proxy a plan: it makes its own");
  }

  #want(resource: Resource, object: Stored["object"]): void {
    this.#wanted.set(`${resource.plural} ${keyOf(object)}`, { resource, object });
  }

  /** Writes what differs, and waits until kube-proxy's rules have it. */
  async apply(): Promise<void> {
    const { client } = this.#api;
    if (!this.#begun) await this.#forgetAll();
    this.#want(services, this.#marker);
    const pod = MARKED[turn++ % 2]!;
    for (const [key, { resource, object }] of this.#there) {
      if (this.#wanted.has(key)) continue;
      await client.delete(resource, { namespace: "default", name: object.metadata.name ?? "" });
      this.#there.delete(key);
    }
    for (const [key, stored] of this.#wanted)
      if (this.#there.get(key)?.object !== stored.object) await this.#write(key, stored);
    for (const part of slices("marker", [pod]))
      await this.#write(`endpointslices ${keyOf(part)}`, { resource: endpointSlices, object: part });
    if (!this.#begun) await this.#begin();
    this.#begun = true;
    for (const family of ["IPv4", "IPv6"] as const) {
      await until(
        `kube-proxy to carry (${family})`,
        async () => {
          const call = { protocol: "TCP" as const, ip: clusterIP(MARKER, family), port: 80, times: 1, wait: 1000 };
          const [answer = ""] = await this.#network.call("node2", call);
          return answer.startsWith(`${PODS[pod][family]} `);
        },
        { seconds: 60, every: 50 },
      );
    }
  }

  async #write(key: string, { resource, object }: Stored): Promise<void> {
    const { client } = this.#api;
    const at = { namespace: "default", name: object.metadata.name ?? "" };
    const was = this.#there.has(key) ? await client.get(resource, at) : undefined;
    const { creationTimestamp: _, ...metadata } = object.metadata;
    const made =
      was === undefined
        ? await client.create(resource, { ...object, metadata })
        : await client.update(resource, {
            ...object,
            metadata: { ...metadata, resourceVersion: was.metadata.resourceVersion },
          });
    // Of a Service that has no load balancer the table says what an API server would refuse.
    if (object.status !== undefined && (object as Service).spec?.type === "LoadBalancer")
      await client.updateStatus(resource, { ...made, status: object.status } as KubeObject);
    this.#there.set(key, { resource, object });
  }

  /** What a carrier before this one has left. */
  async #forgetAll(): Promise<void> {
    const { client } = this.#api;
    for (const resource of [endpointSlices, services]) {
      const { items } = await client.list(resource, { namespace: "default" });
      for (const { metadata } of items) {
        if (metadata.name !== "kubernetes")
          await client.delete(resource, { namespace: "default", name: metadata.name ?? "" });
      }
    }
  }
}

/** A kube-proxy on the lab's node: one at a time, each with its own configuration. */
export class KubeProxy {
  readonly #binary: string;
  readonly #mode: KubeProxyMode;
  readonly #network: Network;
  readonly #api: NodeApi;
  readonly #host: Host;
  #running: Running | undefined;

  constructor(binary: string, mode: KubeProxyMode, network: Network, api: NodeApi) {
    this.#binary = binary;
    this.#mode = mode;
    this.#network = network;
    this.#api = api;
    this.#host = network.at("node");
  }

  async prepare(): Promise<void> {
    const namespace: Namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "default" } };
    await this.#api.client.create(namespaces, namespace);
  }

  carry(node: NodePlan, zone?: string): KubeProxyCarrier {
    const begin = async (): Promise<void> => {
      await this.stop();
      const labels = { "topology.kubernetes.io/zone": zone ?? null };
      await this.#api.client.patch(nodes, { name: node.nodeName }, "merge", { metadata: { labels } });
      const file = join(this.#api.folder, "configuration.json");
      const kubeconfig = join(this.#api.folder, "kubeconfig");
      await writeFile(file, JSON.stringify(configurationOf(this.#mode, node, kubeconfig)));
      this.#running = await this.#host.open(this.#binary, [`--config=${file}`], { stderr: "pipe" });
      this.#running.stdout.resume();
      if (process.env["SUBJECT_LOG"] === undefined) this.#running.stderr.resume();
      else this.#running.stderr.pipe(process.stderr);
    };
    return new KubeProxyCarrier(this.#network, this.#api, begin, () => this.cleanup());
  }

  async cleanup(): Promise<void> {
    await this.stop();
    await this.#host.run(this.#binary, ["--cleanup"], { timeout: 120_000 });
  }

  async stop(): Promise<void> {
    this.#running?.kill("SIGTERM");
    await this.#running?.ended;
    this.#running = undefined;
  }
}
