import type { Host } from "../../host/host.ts";
import { ipJson } from "../../host/ip.ts";
import { wellKnownAddresses, type SystemConfig } from "../config.ts";
import { Failure } from "../failure.ts";
import { isSiteLink } from "../site/network.ts";

interface Link {
  readonly ifname: string;
  readonly addr_info?: readonly {
    readonly family: string;
    readonly local: string;
    readonly scope: string;
    readonly deprecated?: boolean;
    readonly temporary?: boolean;
  }[];
}
interface Route {
  readonly dst: string;
  readonly dev?: string;
  readonly prefsrc?: string;
}

/** The address of one family by which others reach this host: of the default route's interface, else the first global one. */
async function hostAddress(host: Host, family: "-4" | "-6"): Promise<string | undefined> {
  const [links, routes] = (await Promise.all([
    ipJson(host, [family, "addr", "show"]),
    ipJson(host, [family, "route", "show", "default"]),
  ])) as [Link[], Route[]];
  const addressesOf = (link: Link): string[] =>
    (link.addr_info ?? [])
      .filter((address) => address.scope === "global" && address.deprecated !== true && address.temporary !== true)
      .map((address) => address.local);
  const own = links.filter((link) => link.ifname !== undefined && !isSiteLink(link.ifname));
  const byRoute = routes[0]?.prefsrc ?? own.filter((link) => link.ifname === routes[0]?.dev).flatMap(addressesOf)[0];
  return byRoute ?? own.flatMap(addressesOf)[0];
}

/** The node's addresses, one a family that the cluster carries, IPv4 first. A private site's node is only reached from inside. */
export async function nodeAddresses(host: Host, config: SystemConfig): Promise<string[]> {
  const { gateways } = wellKnownAddresses(config);
  if (config.private) return [...gateways];
  const found: string[] = [];
  for (const range of config.podRanges) {
    const address = await hostAddress(host, range.includes(":") ? "-6" : "-4");
    if (address !== undefined) found.push(address);
  }
  if (found.length === 0) {
    throw new Failure(
      "looking for this host's address: no interface but loopback has one; give it an address, or use --private",
    );
  }
  return found;
}
