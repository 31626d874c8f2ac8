import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { promisify } from "node:util";
import type { ServerBlock } from "../../../src/dns/configuration/configuration.ts";
import { startDns, type Dns } from "../../../src/dns/dns.ts";
import { systemClock } from "../../../src/observe/clock.ts";
import { silentLog } from "../../../src/observe/log.ts";
import { standOnOwnGround } from "../../lab/ground.ts";
import { until } from "../../lab/until.ts";
import { service, slice } from "../testns.ts";
import { askAll, type Answer, type Question } from "./answers.ts";
import { openCluster, type Cluster } from "./cluster.ts";
import { corefileOf, startCoreDns } from "./coredns.ts";

/** A block of names as both servers are to answer it; `port` is ours to choose. */
export type Setting = Omit<ServerBlock, "port" | "bind">;

export interface Both {
  readonly theirs: Answer;
  readonly ours: Answer;
}

/** CoreDNS and our DNS, beside each other: clients of one API server, set up alike. */
export interface Sides {
  readonly cluster: Cluster;
  readonly dns: Dns;
  /** Asks ours alone. */
  askOurs(setting: number, questions: readonly Question[]): Promise<Answer[]>;
  /** Asks both, under the setting of this number, once both have seen everything that was written. */
  ask(setting: number, questions: readonly Question[]): Promise<Both[]>;
  /** Waits until both have seen everything that was written, under every setting. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** Where both listen, beside loopback: CoreDNS names no name server at a loopback address. */
const OWN_ADDRESS = "192.0.2.53";

/** Ports that are free for TCP and so for UDP, as far as one look tells: nobody else is in this network namespace. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  for (const server of servers) await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  return ports;
}

const NAMESPACE = "sentinel";

/** Without a `binary` there is our side alone. */
export async function openSides(binary: string | undefined, settings: readonly Setting[]): Promise<Sides> {
  standOnOwnGround();
  await promisify(execFile)("ip", ["address", "replace", `${OWN_ADDRESS}/32`, "dev", "lo"]);
  const cluster = await openCluster();
  const closing: (() => Promise<void>)[] = [() => cluster.close()];
  const close = async (): Promise<void> => {
    for (const each of closing.toReversed()) await each();
  };
  try {
    // By these labels it is in every selection that a setting makes.
    const labels = { "kubernetes.io/metadata.name": NAMESPACE, exposed: "yes" };
    await cluster.write({
      namespaces: [{ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE, labels } }],
    });
    const free = await freePorts(settings.length * 2);
    const ports = settings.map((_, at) => ({ ours: free[2 * at]!, theirs: free[2 * at + 1]! }));
    const servers = settings.map((setting, at): ServerBlock => ({ ...setting, port: ports[at]!.theirs }));
    if (binary !== undefined) {
      const coreDns = await startCoreDns(binary, corefileOf({ servers }, cluster.kubeconfig), cluster.folder);
      closing.push(() => coreDns.close());
    }
    const dns = await startDns({
      client: cluster.client,
      clock: systemClock,
      random: Math.random,
      log: silentLog,
      configuration: {
        servers: settings.map((setting, at): ServerBlock => ({
          ...setting,
          port: ports[at]!.ours,
          bind: [OWN_ADDRESS],
        })),
      },
    });
    closing.push(() => dns.stop());
    await dns.synced();

    let written = 0;
    const settled = async (): Promise<void> => {
      // Each kind is watched in the order it was written: who has seen the last has seen all.
      written += 1;
      const name = `sentinel-${written}`;
      const address = `198.18.${written >> 8}.${written & 255}`;
      const marked = { exposed: "yes" };
      const own = service(name, { clusterIP: "None" }, NAMESPACE);
      const endpoints = slice(name, [{ address, hostname: "here" }], undefined, "IPv4", NAMESPACE);
      await cluster.write({
        namespaces: [
          {
            apiVersion: "v1",
            kind: "Namespace",
            metadata: { name, labels: { ...labels, "kubernetes.io/metadata.name": name } },
          },
        ],
        services: [
          { ...own, metadata: { ...own.metadata, labels: marked } },
          {
            ...service(
              `${name}-own`,
              { clusterIP: address.replace("198.18", "198.19"), ports: [{ port: 1 }] },
              NAMESPACE,
            ),
            metadata: { name: `${name}-own`, namespace: NAMESPACE, labels: marked },
          },
        ],
        slices: [
          { ...endpoints, metadata: { ...endpoints.metadata, labels: { ...endpoints.metadata.labels, ...marked } } },
        ],
        pods: [
          {
            apiVersion: "v1",
            kind: "Pod",
            metadata: { name, namespace: NAMESPACE, labels: marked },
            spec: { containers: [{ name: "c", image: "c" }] },
            status: { phase: "Running", podIP: address, podIPs: [{ ip: address }] },
          },
        ],
      });
      for (const [at, { kubernetes }] of settings.entries()) {
        if (kubernetes === undefined) continue;
        const zone = kubernetes.zones[0]!;
        const ask = [
          { name: `${name}-own.${NAMESPACE}.svc.${zone}`, type: "A" },
          ...(kubernetes.noEndpoints ? [] : [{ name: `here.${name}.${NAMESPACE}.svc.${zone}`, type: "A" }]),
          ...(kubernetes.pods === "disabled"
            ? []
            : [{ name: `${address.replaceAll(".", "-")}.${NAMESPACE}.pod.${zone}`, type: "A" }]),
        ].filter(({ name: asked }) => !kubernetes.ignoreEmptyServices || !asked.startsWith(`${name}-own`));
        // A namespace that is not selected has no names, and none could be waited for.
        const selects = kubernetes.namespaces === undefined;
        const spaces = selects ? [{ name: `${name}.svc.${zone}`, type: "A" }] : [];
        for (const side of binary === undefined ? (["ours"] as const) : (["theirs", "ours"] as const)) {
          await until(`${side} to have seen everything, under setting ${at}`, async () => {
            const [found, there] = [
              await askAll(OWN_ADDRESS, ports[at]![side], ask),
              await askAll(OWN_ADDRESS, ports[at]![side], spaces),
            ];
            return found.every(({ answers }) => answers.length > 0) && there.every(({ rcode }) => rcode === "NOERROR");
          });
        }
      }
    };
    return {
      cluster,
      dns,
      settled,
      askOurs: (setting, questions) => askAll(OWN_ADDRESS, ports[setting]!.ours, questions),
      async ask(setting, questions) {
        const at = ports[setting]!;
        const [theirs, ours] = await Promise.all([
          askAll(OWN_ADDRESS, at.theirs, questions),
          askAll(OWN_ADDRESS, at.ours, questions),
        ]);
        return questions.map((_, index) => ({ theirs: theirs[index]!, ours: ours[index]! }));
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
