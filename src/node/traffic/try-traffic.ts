import type { Server } from "node:net";
import { listenIn } from "../../host/namespace-socket.ts";
import { familyOf } from "../../net/ip.ts";
import { timestamp } from "../../observe/clock.ts";
import type { PodContext } from "../pods/context.ts";
import { namespacePath, type Sandbox } from "../sandbox/sandbox.ts";
import type { PodRecord } from "../state/pod-record.ts";
import { tryConnection } from "./connection.ts";
import type { Trial } from "./dropped.ts";

const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
};

/** Remembered as a pod is, so that after any death in between the next start, or `down`, takes it away like one. */
function recordOf({ networks, clock, random }: PodContext, name: string): PodRecord {
  const start = Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, "0");
  const uid = `${start}-${name}`;
  return {
    version: 1,
    uid,
    namespace: "kube-system",
    name,
    runtime: "process",
    sandbox: networks.own.plan(uid),
    startTime: timestamp(clock.now()),
    containers: {},
  };
}

/** As a pod is removed that never had a program or a file; the record last. */
async function giveBack({ networks, records }: PodContext, { uid, sandbox }: PodRecord): Promise<void> {
  await networks.own.remove(sandbox);
  await records.remove(uid);
  networks.own.release(sandbox);
}

/** The API's Service: its endpoint is this machine, as is that of the DNS Service. */
function apiService({ services }: PodContext): { readonly ips: readonly string[]; readonly port: number } | undefined {
  for (const { metadata, spec } of services()) {
    if (metadata.namespace !== "default" || metadata.name !== "kubernetes") continue;
    const port = spec?.ports?.[0]?.port;
    return port === undefined ? undefined : { ips: spec?.clusterIPs ?? [], port };
  }
  return undefined;
}

/**
 * Makes two pods' networks as pods get theirs, tries a TCP connection from one to the other and to the API's Service, in each family there
 * is, and takes both away again, also when the signal ends it. Throws when they cannot be made.
 */
export async function tryTraffic(context: PodContext, signal: AbortSignal): Promise<Trial[]> {
  const { networks, records, clock } = context;
  const made: PodRecord[] = [];
  const servers: Server[] = [];
  try {
    // Both planned before either is made: they are made together.
    for (const name of ["traffic-from", "traffic-to"]) made.push(recordOf(context, name));
    await Promise.all(made.map((record) => records.save(record)));
    await Promise.all(made.map(({ sandbox }) => networks.own.make(sandbox)));
    const [from, to] = made.map(({ sandbox }) => sandbox) as [Sandbox, Sandbox];
    const inside = { from: namespacePath(from)!, to: namespacePath(to)! };
    const trial = async (hook: Trial["hook"], whom: string, ip: string, port: number): Promise<Trial> => ({
      hook,
      from: from.addresses.find((address) => familyOf(address) === familyOf(ip)) ?? from.addresses[0]!,
      whom,
      to: { ip, port },
      fate: await tryConnection({ namespace: inside.from, to: { ip, port }, clock, signal }),
    });
    const service = apiService(context);
    return await Promise.all([
      ...to.addresses.map(async (ip) => {
        const server = await listenIn(inside.to, familyOf(ip) ?? "IPv4");
        servers.push(server);
        return trial("forward", "another pod", ip, portOf(server));
      }),
      ...(service?.ips ?? []).map((ip) => trial("input", "the Service default/kubernetes", ip, service!.port)),
    ]);
  } finally {
    for (const server of servers) server.close();
    await Promise.all(made.map((record) => giveBack(context, record)));
  }
}
