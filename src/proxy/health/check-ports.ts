import type { Server, ServerResponse } from "node:http";
import type { NodePlan, ServicePlan } from "../plan/plan.ts";
import type { AppliedRound } from "../loop.ts";
import type { Aftermath } from "../proxy.ts";
import type { Log } from "../../observe/log.ts";
import { close, listen, send } from "../../observe/http.ts";

/** One Service's health check node port as it is to be. */
interface Wanted {
  readonly port: number;
  readonly hosts: readonly string[];
}

interface Open extends Wanted {
  readonly servers: Promise<readonly Server[]>;
}

/** The addresses a health check node port answers on: those of node ports, or the wildcard of a family (PRX-108). */
const hostsOf = ({ families, nodePortAddresses }: NodePlan): string[] =>
  families.flatMap((family) => {
    const addresses = nodePortAddresses[family];
    return addresses === "all" ? [family === "IPv4" ? "0.0.0.0" : "::"] : [...addresses];
  });

/** What is said of a Service: PRX-109, PRX-110. */
function answer(response: ServerResponse, key: string, endpoints: number, healthy: boolean): void {
  const [namespace, name] = key.split("/");
  response.setHeader("X-Load-Balancing-Endpoint-Weight", String(endpoints));
  const body = { service: { namespace, name }, localEndpoints: endpoints, serviceProxyHealthy: healthy };
  send(response, endpoints > 0 && healthy ? 200 : 503, "application/json", JSON.stringify(body));
}

const same = (one: Wanted, other: Wanted): boolean =>
  one.port === other.port && one.hosts.join() === other.hosts.join();

/**
 * Answers load balancers on the health check node ports of Services (PRX-107 … PRX-112): 200 where the node has a ready endpoint and the
 * proxy is well. `failed` hears of a port that cannot be opened; it is tried again with the next change of the Service or the node.
 */
export function healthCheckPorts(options: {
  readonly log: Log;
  isHealthy(): boolean;
  failed(service: string, complaint: string): void;
}): Aftermath {
  const { log } = options;
  const counts = new Map<string, number>();
  const open = new Map<string, Open>();
  let turn = Promise.resolve();
  let stopped = false;

  const shut = async (key: string): Promise<void> => {
    const held = open.get(key);
    open.delete(key);
    for (const server of (await held?.servers) ?? []) await close(server);
  };
  const openOn = async (key: string, { port, hosts }: Wanted): Promise<readonly Server[]> => {
    const servers: Server[] = [];
    const complaints: string[] = [];
    for (const host of hosts) {
      try {
        servers.push(
          await listen({ host, port }, (_, response) =>
            answer(response, key, counts.get(key) ?? 0, options.isHealthy()),
          ),
        );
      } catch (error) {
        complaints.push((error as Error).message);
      }
    }
    if (complaints.length > 0) {
      const complaint = `the health check node port ${port} of the Service ${key} cannot be opened: ${complaints.join("; ")}`;
      log.warn({ service: key, port }, complaint);
      options.failed(key, complaint);
    }
    return servers;
  };

  const settle = async (key: string, plan: ServicePlan | undefined, hosts: readonly string[]): Promise<void> => {
    const port = plan?.healthCheckNodePort;
    if (plan === undefined || port === undefined || stopped) {
      counts.delete(key);
      return shut(key);
    }
    counts.set(key, plan.localReady.length);
    const held = open.get(key);
    const wanted = { port, hosts };
    if (held !== undefined && same(held, wanted) && (await held.servers).length === hosts.length) return;
    await shut(key);
    open.set(key, { ...wanted, servers: openOn(key, wanted) });
    await open.get(key)!.servers;
  };

  let lastHosts = "";
  return {
    applied({ changes, plans, node }: AppliedRound) {
      const hosts = hostsOf(node);
      const isMoved = hosts.join() !== lastHosts;
      lastHosts = hosts.join();
      const due = isMoved ? new Set([...changes.keys(), ...open.keys(), ...plans.keys()]) : changes.keys();
      const plansNow = [...due].map((key) => [key, plans.get(key)] as const);
      turn = turn.then(async () => {
        // Those that go first, so that a port that changes hands is free.
        const [gone, kept] = [
          plansNow.filter(([, plan]) => !plan?.healthCheckNodePort),
          plansNow.filter(([, plan]) => plan?.healthCheckNodePort),
        ];
        for (const [key, plan] of [...gone, ...kept]) await settle(key, plan, hosts);
      });
    },
    async stop() {
      stopped = true;
      await turn;
      for (const key of open.keys()) await shut(key);
    },
  };
}
