import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EndpointSlice, Namespace, Pod, Service } from "../../../src/api/generated/types.ts";
import { kinds } from "../../../src/api/kinds.ts";
import { endpointSlices, namespaces, pods, services } from "../../../src/api/resources.ts";
import { createApiServer } from "../../../src/apiserver/server.ts";
import type { Client } from "../../../src/client/client.ts";
import { createClient } from "../../../src/client/connect.ts";
import { canonicalIP, familyOf } from "../../../src/net/ip.ts";
import { memoryStore } from "../../../src/store/memory/memory.ts";
import { createAuthority } from "../../apiserver/certificates.ts";

/** What a cluster holds, as DNS sees it. */
export interface Objects {
  readonly namespaces: readonly Namespace[];
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  readonly pods: readonly Pod[];
}

/** An API server over HTTPS on 127.0.0.1, and who may do everything there. Addresses of Services are as they are written. */
export interface Cluster {
  readonly client: Client;
  /** A directory of its own, with a `kubeconfig`. */
  readonly folder: string;
  readonly kubeconfig: string;
  write(objects: Partial<Objects>): Promise<void>;
  remove(objects: Partial<Objects>): Promise<void>;
  close(): Promise<void>;
}

/** A Service as the API server wants it: with all its addresses and their families. */
function complete(service: Service): Service {
  const spec = { ...service.spec };
  if (spec.type === "ExternalName") return { ...service, spec };
  const given = spec.clusterIPs ?? [spec.clusterIP ?? ""];
  const clusterIPs = given.map((ip) => (familyOf(ip) === undefined ? ip : canonicalIP(ip)));
  // Of several ports each needs a name.
  const ports = (spec.ports ?? []).map((port, _, all) => (all.length > 1 ? { name: "unnamed", ...port } : port));
  const families = clusterIPs.map((ip) => familyOf(ip) ?? "IPv4");
  return {
    ...service,
    spec: {
      ...spec,
      ports,
      clusterIP: clusterIPs[0],
      clusterIPs,
      ipFamilies: families,
      ipFamilyPolicy: families.length > 1 ? "RequireDualStack" : "SingleStack",
    },
  };
}

/** A slice as the API server wants it: addresses in canonical form. */
const canonical = (slice: EndpointSlice): EndpointSlice => ({
  ...slice,
  endpoints: (slice.endpoints ?? []).map((endpoint) => ({
    ...endpoint,
    addresses: endpoint.addresses.map((ip) => (familyOf(ip) === undefined ? ip : canonicalIP(ip))),
  })),
});

export async function openCluster(): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), "fl-coredns-"));
  const authority = await createAuthority();
  const [server, admin] = await Promise.all([authority.server(), authority.client("O=system:masters, CN=admin")]);
  const store = memoryStore();
  const api = await createApiServer({ store, kinds, tls: { ...server, ca: authority.cert } });
  const port = await api.listen({ host: "127.0.0.1", port: 0 });
  const url = `https://127.0.0.1:${port}`;
  const data = (text: string): string => Buffer.from(text).toString("base64");
  const kubeconfig = join(folder, "kubeconfig");
  const configuration = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "lab",
    contexts: [{ name: "lab", context: { cluster: "lab", user: "lab" } }],
    clusters: [{ name: "lab", cluster: { server: url, "certificate-authority-data": data(authority.cert) } }],
    users: [{ name: "lab", user: { "client-certificate-data": data(admin.cert), "client-key-data": data(admin.key) } }],
  };
  await writeFile(kubeconfig, JSON.stringify(configuration), { mode: 0o600 });
  const client = createClient({ server: url, ca: authority.cert, ...admin });
  return {
    client,
    folder,
    kubeconfig,
    async write(objects) {
      for (const each of objects.namespaces ?? []) await client.create(namespaces, each);
      await Promise.all((objects.services ?? []).map((each) => client.create(services, complete(each))));
      await Promise.all((objects.slices ?? []).map((each) => client.create(endpointSlices, canonical(each))));
      await Promise.all(
        (objects.pods ?? []).map(async ({ status, ...pod }) => {
          const created = await client.create<Pod>(pods, pod);
          if (status !== undefined) await client.updateStatus<Pod>(pods, { ...created, status });
        }),
      );
    },
    async remove(objects) {
      const at = ({ metadata }: Service | EndpointSlice | Pod) => ({
        namespace: metadata.namespace ?? "",
        name: metadata.name ?? "",
      });
      const now = { gracePeriodSeconds: 0 };
      await Promise.all((objects.pods ?? []).map((each) => client.delete(pods, at(each), now)));
      await Promise.all((objects.slices ?? []).map((each) => client.delete(endpointSlices, at(each))));
      await Promise.all((objects.services ?? []).map((each) => client.delete(services, at(each))));
    },
    async close() {
      client.close();
      await api.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
