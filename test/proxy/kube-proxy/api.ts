import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Node, ServiceCIDR } from "../../../src/api/generated/types.ts";
import { kinds } from "../../../src/api/kinds.ts";
import { nodes, serviceCIDRs } from "../../../src/api/resources.ts";
import { createApiServer } from "../../../src/apiserver/server.ts";
import type { Client } from "../../../src/client/client.ts";
import { createClient } from "../../../src/client/connect.ts";
import type { Host } from "../../../src/host/host.ts";
import { memoryStore } from "../../../src/store/memory/memory.ts";
import { createAuthority } from "../../apiserver/certificates.ts";
import { NODE } from "../lab/network.ts";
import { nodePlan } from "../lab/objects.ts";

/** An API server that the node of the lab reaches on its own loopback. */
export interface NodeApi {
  readonly client: Client;
  /** A directory of its own, with a `kubeconfig`. */
  readonly folder: string;
  close(): Promise<void>;
}

const PORT = 6443;
/** Namespaces share files but no loopback: a program of the node carries its connections to the server's socket. */
const FORWARD = `
  const { connect, createServer } = require("node:net");
  createServer((from) => {
    const to = connect(process.argv[1]);
    from.pipe(to).pipe(from);
    for (const one of [from, to]) one.on("error", () => { from.destroy(); to.destroy(); });
  }).listen(${PORT}, "127.0.0.1", () => console.log("ready"));
`;

const kubeconfig = (ca: string, { cert, key }: { readonly cert: string; readonly key: string }): string => {
  const data = (text: string): string => Buffer.from(text).toString("base64");
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "lab",
    contexts: [{ name: "lab", context: { cluster: "lab", user: "lab" } }],
    clusters: [
      { name: "lab", cluster: { server: `https://127.0.0.1:${PORT}`, "certificate-authority-data": data(ca) } },
    ],
    users: [{ name: "lab", user: { "client-certificate-data": data(cert), "client-key-data": data(key) } }],
  });
};

/** Serves the lab's own node, `node1`, and the ranges of its Services. */
export async function openNodeApi(host: Host): Promise<NodeApi> {
  const folder = await mkdtemp(join(tmpdir(), "fl-kube-proxy-"));
  const authority = await createAuthority();
  const [server, admin] = await Promise.all([authority.server(), authority.client("O=system:masters, CN=admin")]);
  const api = await createApiServer({ store: memoryStore(), kinds, tls: { ...server, ca: authority.cert } });
  const path = join(folder, "api.sock");
  await api.listen({ path });
  await writeFile(join(folder, "kubeconfig"), kubeconfig(authority.cert, admin), { mode: 0o600 });
  const forwarder = await host.open(process.execPath, ["-e", FORWARD, path], { stderr: "inherit" });
  await new Promise((resolve) => forwarder.stdout.once("data", resolve));
  const client = createClient({ server: "https://localhost", socketPath: path, ca: authority.cert, ...admin });
  const node: Node = { apiVersion: "v1", kind: "Node", metadata: { name: "node1" } };
  await client.create(nodes, node);
  const addresses = [NODE.IPv4.client, NODE.IPv6.client].map((address) => ({ type: "InternalIP", address }));
  await client.patch(nodes, { name: "node1" }, "merge", { status: { addresses } }, { subresource: "status" });
  const cidrs: ServiceCIDR = {
    apiVersion: "networking.k8s.io/v1",
    kind: "ServiceCIDR",
    metadata: { name: "kubernetes" },
    spec: { cidrs: [...nodePlan().serviceRanges] },
  };
  await client.create(serviceCIDRs, cidrs);
  return {
    client,
    folder,
    async close() {
      client.close();
      forwarder.kill();
      await forwarder.ended;
      await api.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
