import type { Contents } from "./contents.ts";
import type { NameServers } from "./zone.ts";

/** Where a cluster's DNS is by convention (DNS-131). */
const USUAL = { namespace: "kube-system", service: "kube-dns" };

/**
 * The addresses under which the cluster knows this server (DNS-062): those of the Services whose endpoints hold one of its
 * `own`, else those of `kube-system/kube-dns`, else its own.
 */
export function nameServersIn(contents: Contents, own: readonly string[]): NameServers {
  const depends = [...contents.dependsOf(USUAL.namespace, USUAL.service)];
  const addressesOf = (key: string): readonly string[] => {
    const names = contents.service(key);
    return names?.kind === "cluster" ? names.own.addresses : [];
  };
  const found = new Set<string>();
  for (const ip of own) {
    const { holders, depends: words } = contents.holders(ip);
    // Whatever a Service changes of itself, the addresses of its endpoints are touched.
    depends.push(...words);
    for (const { key } of holders) for (const address of addressesOf(key)) found.add(address);
  }
  if (found.size > 0) return { addresses: [...found], depends };
  const usual = addressesOf(`${USUAL.namespace}/${USUAL.service}`);
  return { addresses: usual.length > 0 ? usual : own, depends };
}
