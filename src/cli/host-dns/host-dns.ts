import type { Host } from "../../host/host.ts";
import { ipJson } from "../../host/ip.ts";
import { hasResolved, revertLinkResolver, setLinkResolver } from "../../host/resolved.ts";
import { sentenceOf } from "../failure.ts";
import { reverseZones } from "./reverse-zones.ts";

export interface HostDnsOptions {
  readonly host: Host;
  /** The interface that has the addresses of cluster DNS. */
  readonly link: string;
  readonly servers: readonly string[];
  readonly clusterDomain: string;
  /** Ranges of Services and of pods. */
  readonly ranges: readonly string[];
}

export interface HostDns {
  /** What was done, or what is left to do by hand, for the user. */
  readonly says: string;
  /** The resolver is as it was before. */
  revert(): Promise<void>;
}

/** Where nothing can be told to the resolver: what to set in those that people have. */
const byHand = ({ servers, clusterDomain }: HostDnsOptions, why: string): string =>
  `this machine's resolver was not told of ${clusterDomain} (${why}); set by hand that it asks ${servers.join(" or ")} for names in it: ` +
  `dnsmasq and NetworkManager: server=/${clusterDomain}/${servers[0]!}; ` +
  `unbound: forward-zone: name: "${clusterDomain}." forward-addr: ${servers[0]!}`;

/** Has this machine's own resolver ask cluster DNS for the cluster's names and addresses, and nothing else. */
export async function startHostDns(options: HostDnsOptions): Promise<HostDns> {
  const { host, link, servers, clusterDomain, ranges } = options;
  const revertNothing = async (): Promise<void> => {};
  if (!(await hasResolved(host))) {
    return { says: byHand(options, "systemd-resolved does not run here"), revert: revertNothing };
  }
  const revert = (): Promise<void> => revertLinkResolver(host, link);
  try {
    await setLinkResolver(host, { link, servers, domains: [clusterDomain, ...ranges.flatMap(reverseZones)] });
  } catch (error) {
    await revert();
    return { says: byHand(options, sentenceOf(error)), revert: revertNothing };
  }
  // A bridge without a port, which stands in where the kernel has no dummy interfaces, has no carrier.
  const [state] = (await ipJson(host, ["link", "show", "dev", link])) as { readonly operstate?: string }[];
  if (state?.operstate === "DOWN") {
    return {
      says: byHand(options, `systemd-resolved was, but asks nobody by ${link} while that has no carrier`),
      revert,
    };
  }
  return { says: `this machine's own resolver finds names in ${clusterDomain} (systemd-resolved, ${link})`, revert };
}
