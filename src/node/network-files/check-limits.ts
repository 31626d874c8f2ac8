import { DOMAIN_CHARACTERS, SEARCHES, SEARCH_CHARACTERS, type Resolver } from "../../api/pod/resolver.ts";

/** Search domains that cluster DNS puts before the host's. */
const OF_THE_CLUSTER = 3;

/**
 * What of the host's resolver will not fit into pods' own (DNS-115), as the message of the event `CheckLimitsForResolvConf`;
 * undefined when all of it does.
 */
export function exceededLimits(host: Resolver, path: string, clusterDomain: string): string | undefined {
  const most = SEARCHES - (clusterDomain === "" ? 0 : OF_THE_CLUSTER);
  if (host.searches.length > most) {
    return `${path}: its search line has ${host.searches.length} domains; with those of the cluster a pod's holds ${most} of them`;
  }
  const long = host.searches.find((domain) => domain.length > DOMAIN_CHARACTERS);
  if (long !== undefined) {
    return `${path}: the search domain ${long.slice(0, 32)}… has ${long.length} characters; pods leave out what has more than ${DOMAIN_CHARACTERS}`;
  }
  const length = host.searches.join(" ").length;
  return length > SEARCH_CHARACTERS
    ? `${path}: its search line has ${length} characters; a pod's has ${SEARCH_CHARACTERS} at most`
    : undefined;
}
