import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { connect } from "node:net";
import { writeKubeconfig } from "../../apiserver/pki/kubeconfig.ts";
import type { Pki } from "../../apiserver/pki/pki.ts";
import { ensureSigningKeys } from "../../apiserver/pki/signing-keys.ts";
import { ensureAdminToken } from "../../apiserver/pki/token.ts";
import { startApiServer } from "../../apiserver/start.ts";
import { nodeStreams } from "../../apiserver/stream/streams.ts";
import { legacySigner } from "../../apiserver/tokens/legacy.ts";
import { startControllers } from "../../controllers/start.ts";
import { parseAddressRange } from "../../net/addressRange.ts";
import { systemClock } from "../../observe/clock.ts";
import { createMetrics } from "../../observe/metrics.ts";
import type { Part } from "../../observe/part.ts";
import { clientOfDirectory } from "../connection.ts";
import type { SystemConfig } from "../config.ts";
import { layoutOf } from "../data/layout.ts";
import { openLog } from "../data/log-file.ts";
import { startPublisher } from "../publish/publisher.ts";
import { VERSION } from "../version.ts";
import { agreeOnAuthority } from "./authority.ts";
import { openStore } from "./open-store.ts";

const random = (): number => randomBytes(6).readUIntBE(0, 6) / 2 ** 48;

/** Store, API and controllers in one process. Resolves when the API answers; the controllers follow at once. */
export async function startServer(
  config: SystemConfig,
  nodeAddresses: readonly string[],
  certificates: Promise<Pki>,
): Promise<Part> {
  const layout = layoutOf(config.directory);
  const log = openLog(layout, "server", config.logLevel);
  const clock = systemClock;
  // One page tells of the API and of the controllers: they are one process.
  const metrics = createMetrics();
  const [pki, store] = await Promise.all([certificates, openStore(config.store, layout.database, log, clock)]);
  if (store.shared) await agreeOnAuthority(store, pki.ca, layout.pki);
  const [adminToken, keys] = await Promise.all([ensureAdminToken(layout.pki), ensureSigningKeys(layout.pki)]);
  const { host, port } = config.listen;
  const nodePortRange = { first: config.nodePortRange.from, last: config.nodePortRange.to };
  const advertise = {
    ip: nodeAddresses[0]!,
    port,
    ...(config.kubernetesNodePort && { nodePort: config.kubernetesNodePort }),
  };
  const api = await startApiServer({
    store,
    serviceRanges: config.serviceRanges,
    nodePortRange,
    advertise,
    allowExternalIPs: config.allowExternalIPs,
    clock,
    log,
    tls: { key: pki.apiserver.key, cert: pki.apiserver.cert, ca: pki.ca },
    tokens: [adminToken],
    serviceAccountIssuer: [`https://kubernetes.default.svc.${config.clusterDomain}`],
    serviceAccountKeys: keys,
    version: `v1.36.2+fairlead.${VERSION}`,
    metrics,
    streams: nodeStreams({
      tls: { ca: pki.ca, cert: pki.nodeClient.cert, key: pki.nodeClient.key },
      // On one machine every node is this one, and its endpoint is a socket that all namespaces reach.
      dial: () =>
        new Promise((resolve, reject) => {
          const socket = connect(layout.nodeSocket);
          socket.once("connect", () => resolve(socket));
          socket.once("error", reject);
        }),
    }),
  });
  await rm(layout.serverSocket, { force: true });
  await api.listen({ path: layout.serverSocket });
  await api.listen({ host, port });
  const url = `https://${host === "" || host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : host.includes(":") ? `[${host}]` : host}:${port}`;
  await writeKubeconfig(layout.kubeconfig, { server: url, ca: pki.ca, cert: pki.admin.cert, key: pki.admin.key });

  const stopping = new AbortController();
  const client = await clientOfDirectory(layout, "fairlead-controllers");
  const controllers = startControllers({
    client,
    clock,
    random,
    log: log.child({ part: "controllers" }),
    authority: { ca: pki.ca, signToken: legacySigner(keys.signing) },
    endpoints: config.endpoints,
    loadBalancerPools: config.loadBalancerPools.map((pool) => ({
      ...pool,
      ranges: pool.ranges.map(parseAddressRange),
    })),
    metrics,
    signal: stopping.signal,
  });
  controllers.catch((error: unknown) => {
    if (!stopping.signal.aborted) log.error({ error: (error as Error).stack }, "the controllers did not start");
  });
  const publisher = config.publish
    ? startPublisher({ client, clock, random, log: log.child({ part: "publisher" }), dialer: layout.dialerSocket })
    : undefined;
  return {
    async stop() {
      stopping.abort();
      await publisher?.stop();
      await controllers.then((part) => part.stop()).catch(() => {});
      client.close();
      await api.close();
      await store.close();
    },
  };
}
