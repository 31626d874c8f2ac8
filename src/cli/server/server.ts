import { randomBytes } from "node:crypto";
import { rm, writeFile, rename } from "node:fs/promises";
import { connect } from "node:net";
import { kinds } from "../../api/kinds.ts";
import { serviceClaims } from "../../apiserver/claims/serviceClaims.ts";
import { kubeconfig } from "../../apiserver/pki/kubeconfig.ts";
import { ensurePki } from "../../apiserver/pki/pki.ts";
import { createApiServer } from "../../apiserver/server.ts";
import { nodeStreams } from "../../apiserver/stream/streams.ts";
import { startControllers } from "../../controllers/start.ts";
import { parseCidr } from "../../net/cidr.ts";
import { systemClock } from "../../observe/clock.ts";
import type { Part } from "../../observe/part.ts";
import { openSqliteStore } from "../../store/sqlite/sqlite.ts";
import { clientOfDirectory } from "../connection.ts";
import { wellKnownAddresses, type SystemConfig } from "../config.ts";
import { layoutOf } from "../data/layout.ts";
import { openLog } from "../data/logFile.ts";
import { startPublisher } from "../publish/publisher.ts";
import { VERSION } from "../version.ts";

const random = (): number => randomBytes(6).readUIntBE(0, 6) / 2 ** 48;

/** What clients may call the API server. */
const namesOf = (config: SystemConfig, nodeAddresses: readonly string[]) => ({
  dns: [
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    `kubernetes.default.svc.${config.clusterDomain}`,
  ],
  ips: [
    ...new Set([
      "127.0.0.1",
      "::1",
      ...(/^[\d.]+$|:/.test(config.listen.host) && config.listen.host !== "0.0.0.0" && config.listen.host !== "::"
        ? [config.listen.host]
        : []),
      ...nodeAddresses,
      wellKnownAddresses(config).kubernetes,
    ]),
  ],
});

/** Store, API and controllers in one process. Resolves when the API answers; the controllers follow at once. */
export async function startServer(config: SystemConfig, nodeAddresses: readonly string[]): Promise<Part> {
  const layout = layoutOf(config.directory);
  const log = openLog(layout, "server", config.logLevel);
  const clock = systemClock;
  const [pki, store] = await Promise.all([
    ensurePki({ directory: layout.pki, names: namesOf(config, nodeAddresses), nodeName: config.nodeName, clock }),
    openSqliteStore({ path: layout.database, log }),
  ]);
  const api = await createApiServer({
    store,
    kinds,
    clock,
    log,
    tls: { key: pki.server.key, cert: pki.server.cert, ca: pki.authority.cert },
    version: `v1.36.2+fairlead.${VERSION}`,
    claims: serviceClaims({
      store,
      families: config.serviceRanges.map((range) => parseCidr(range).family),
      nodePortRange: config.nodePortRange,
      clock,
    }),
    streams: nodeStreams({
      tls: { ca: pki.authority.cert, cert: pki.nodeClient.cert, key: pki.nodeClient.key },
      // On one machine every node is this one, and its endpoint is a socket that all namespaces reach.
      dial: () =>
        new Promise((resolve, reject) => {
          const socket = connect(layout.nodeSocket);
          socket.once("connect", () => resolve(socket));
          socket.once("error", reject);
        }),
    }),
  });
  const { host, port } = config.listen;
  await api.bootstrap({ serviceRanges: config.serviceRanges, advertise: { ip: nodeAddresses[0]!, port } });
  await rm(layout.serverSocket, { force: true });
  await api.listen({ path: layout.serverSocket });
  await api.listen({ host, port });
  const url = `https://${host === "" || host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : host.includes(":") ? `[${host}]` : host}:${port}`;
  await writeFile(`${layout.kubeconfig}.aside`, kubeconfig(url, pki.authority, pki.admin), { mode: 0o600 });
  await rename(`${layout.kubeconfig}.aside`, layout.kubeconfig);

  const stopping = new AbortController();
  const client = await clientOfDirectory(layout, "fairlead-controllers");
  const controllers = startControllers({
    client,
    clock,
    random,
    log: log.child({ part: "controllers" }),
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
