import { endpointSlices, namespaces, pods, services } from "../../src/api/resources.ts";
import type { EndpointSlice, Pod, Service } from "../../src/api/generated/types.ts";
import type { KubeObject, Resource } from "../../src/api/object.ts";
import type { Client } from "../../src/client/client.ts";
import { clientOfDirectory } from "../../src/cli/connection.ts";
import { layoutOf } from "../../src/cli/data/layout.ts";
import { bringUp, type Fairlead } from "../lab/fairlead.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { callerOn, type Caller, type HostCaller } from "./calling/callers.ts";
import type { Called } from "./calling/orders.ts";

/** The namespace of what the tests of Services make. */
export const NS = "shop";

/** A Fairlead on one lab host, a second host beside it, somebody on each who calls Services, and a client to change objects. */
export interface Serving {
  readonly lab: Lab;
  readonly node: LabHost;
  readonly outside: LabHost;
  readonly fairlead: Fairlead;
  readonly client: Client;
  readonly onNode: HostCaller;
  readonly onOutside: HostCaller;
  create(...objects: readonly object[]): Promise<void>;
  service(name: string): Promise<Service>;
  /** The pod, once it is ready. */
  readyPod(name: string): Promise<Pod>;
  /** A caller in a client pod, once it is ready. */
  inPod(name: string): Promise<Caller>;
  /** Ready addresses in the slices of a Service, sorted. */
  readyAddresses(service: string): Promise<string[]>;
  /** Our table of the family as the kernel lists it. */
  rules(family?: "ip" | "ip6"): Promise<string>;
  /** Waits until the kernel's rules name each of `there` and none of `gone`. */
  untilRules(what: string, there: readonly string[], gone?: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

const RESOURCES: Readonly<Record<string, Resource>> = {
  Namespace: namespaces,
  Pod: pods,
  Service: services,
  EndpointSlice: endpointSlices,
};

/** Whether a text of nft names this address as a whole. */
export const names = (text: string, address: string): boolean =>
  new RegExp(`(?<![0-9a-f.:])${address.replaceAll(".", "\\.")}(?![0-9a-f.:])`).test(text);

/** How the Fairlead of a test differs from the usual one. */
export interface ServingOptions {
  readonly flags?: readonly string[];
  /** Without any right, as an ordinary user would. */
  readonly ordinary?: boolean;
  /** What is to be done before it starts. */
  prepare?(node: LabHost, outside: LabHost): Promise<void>;
}

export const startServing = (...objects: readonly object[]): Promise<Serving> => startServingWith({}, ...objects);

export async function startServingWith(options: ServingOptions, ...objects: readonly object[]): Promise<Serving> {
  const lab = await createLab();
  try {
    const node = await lab.add("node");
    const outside = await lab.add("outside");
    await options.prepare?.(node, outside);
    const fairlead = await bringUp(node, { flags: options.flags ?? [], ordinary: options.ordinary ?? false });
    const client = await clientOfDirectory(layoutOf(fairlead.data), "test");
    const [onNode, onOutside] = await Promise.all([callerOn(node), callerOn(outside)]);

    const rules = async (family: "ip" | "ip6" = "ip"): Promise<string> =>
      (await node.check("nft", ["list", "table", family, "fairlead"])).stdout;
    const readyPod = (name: string): Promise<Pod> =>
      until(`pod ${name} to be ready`, async () => {
        const pod = await client.get<Pod>(pods, { namespace: NS, name });
        return pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") && pod;
      }).catch(async (cause: unknown) => {
        const { stdout } = await node.run("sh", [
          "-c",
          'tail -n 20 "$1"/node/logs/*"$2"*/*/*',
          "sh",
          fairlead.data,
          name,
        ]);
        const { status } = await client.get<Pod>(pods, { namespace: NS, name });
        throw new Error(`${(cause as Error).message}: ${JSON.stringify(status)}; its log: ${stdout}`, { cause });
      });
    const serving: Serving = {
      lab,
      node,
      outside,
      fairlead,
      client,
      onNode,
      onOutside,
      async create(...made) {
        for (const object of made as KubeObject[]) await client.create(RESOURCES[object.kind]!, object);
      },
      service: (name) => client.get<Service>(services, { namespace: NS, name }),
      readyPod,
      inPod: async (name) => onNode.inPod((await readyPod(name)).status!.podIP!),
      async readyAddresses(service) {
        const { items } = await client.list<EndpointSlice>(endpointSlices, {
          namespace: NS,
          labelSelector: `kubernetes.io/service-name=${service}`,
        });
        return items
          .flatMap(({ endpoints = [] }) => endpoints)
          .filter(({ conditions }) => conditions?.ready === true)
          .flatMap(({ addresses }) => addresses)
          .sort();
      },
      rules,
      async untilRules(what, there, gone = []) {
        await until(what, async () => {
          const text = (await rules("ip")) + (await rules("ip6"));
          return there.every((address) => names(text, address)) && !gone.some((address) => names(text, address));
        });
      },
      async close() {
        onNode.close();
        onOutside.close();
        client.close();
        await fairlead.end();
        await lab.close();
      },
    };
    await serving.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: NS } }, ...objects);
    return serving;
  } catch (error) {
    await lab.close();
    throw error;
  }
}

export const ipOf = (pod: Pod): string => pod.status!.podIP!;
export const ip6Of = (pod: Pod): string => pod.status!.podIPs!.find(({ ip }) => ip.includes(":"))!.ip;

/** How often each pod answered; a call that failed counts under its error. */
export function counts(calls: readonly Called[]): Record<string, number> {
  const result: Record<string, number> = {};
  for (const { pod, error } of calls) result[pod ?? error!] = (result[pod ?? error!] ?? 0) + 1;
  return result;
}

/** The distinct pods that answered (or errors), sorted. */
export const answered = (calls: readonly Called[]): string[] => Object.keys(counts(calls)).sort();

/** Calls again and again, `times` at once, until exactly these pods have answered a round. */
export const untilAnswered = (
  caller: Caller,
  url: string,
  expected: readonly string[],
  times = 40,
): Promise<Called[]> =>
  until(`${url} to be answered by ${expected.join(", ")} alone`, async () => {
    const calls = await caller.call(url, { times, patience: 1000 });
    return answered(calls).join() === [...expected].sort().join() && calls;
  });
