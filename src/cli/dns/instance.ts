import { createClient } from "../../client/connect.ts";
import type { DnsConfiguration } from "../../dns/configuration/configuration.ts";
import { startDns } from "../../dns/dns.ts";
import { createFigures } from "../../dns/figures/figures.ts";
import type { SocketAddress } from "../../dns/server/address.ts";
import type { SearchOptions } from "../../dns/view/cluster.ts";
import { systemClock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { apiAccess, type AccessWish } from "../api-access.ts";
import { VERSION } from "../version.ts";
import { random } from "../site/parts/part.ts";

/** What an instance of DNS is given. JSON, so that it can be handed to a thread. */
export interface InstanceGiven {
  readonly configuration: DnsConfiguration;
  readonly access: AccessWish;
  /** Cluster addresses of the Service that leads here; empty: it is somebody else's. */
  readonly register: readonly string[];
  readonly nodeName: string;
  /** Pods' search lists are answered at once, where they are known. */
  readonly search?: SearchOptions | undefined;
  /** Others answer at the same addresses too. */
  readonly reusePort: boolean;
}

/** DNS that runs, here or in threads. */
export interface Instance {
  readonly listening: readonly SocketAddress[];
  /** True when names of the cluster are answered. */
  isReady(): boolean;
  /** Resolves when names of the cluster are answered for the first time. */
  synced(): Promise<void>;
  configure(configuration: DnsConfiguration, signal: AbortSignal): Promise<void>;
  /** All figures, in the text format of Prometheus. */
  metrics(): Promise<string>;
  stop(): Promise<void>;
}

const needsCluster = ({ configuration, register }: Pick<InstanceGiven, "configuration" | "register">): boolean =>
  register.length > 0 || configuration.servers.some(({ kubernetes }) => kubernetes !== undefined);

/** DNS in this thread. `looped` hears that what is asked outside comes back here: then it is of no use. Throws Failure where the API server is not known, and what `startDns` does. */
export async function startInstance(given: InstanceGiven, log: Log, looped: (error: Error) => void): Promise<Instance> {
  const { configuration, access, register, nodeName, reusePort } = given;
  const client = needsCluster(given) ? createClient(apiAccess(access, process.env, "fairlead-dns")) : undefined;
  const figures = createFigures({ version: VERSION, log });
  const dns = await startDns({
    client,
    clock: systemClock,
    random,
    log,
    configuration,
    opening: { reusePort },
    figures,
    looped,
    search: given.search,
    ...(register.length === 0 ? {} : { registration: { clusterIPs: register, nodeName } }),
  }).catch((error: unknown) => {
    client?.close();
    throw error;
  });
  return {
    get listening() {
      return dns.listening;
    },
    isReady: () => dns.isReady,
    synced: () => dns.synced(),
    configure: (next, signal) => dns.configure(next, signal),
    metrics: () => figures.text(),
    async stop() {
      await dns.stop();
      client?.close();
    },
  };
}
