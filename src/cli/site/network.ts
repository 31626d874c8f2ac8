import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Host } from "../../host/host.ts";
import { ipBatch, isAlreadySo } from "../../host/ip.ts";
import { readMounts } from "../../host/mounts.ts";
import { readSysctl, writeSysctl } from "../../host/sysctl.ts";
import { cidrsOf, parseAddressRange } from "../../net/addressRange.ts";
import { parseCidr } from "../../net/cidr.ts";
import { SHARED_LINK } from "../../node/sandbox/shared-lines.ts";
import { PROXY_LINK } from "../../proxy/engines/userspace/routes.ts";
import type { SystemConfig, WellKnownAddresses } from "../config.ts";
import { readMade, writeMade, NOTHING_MADE } from "./made.ts";

/** A dummy interface that holds the addresses of the node towards its pods and the routes of the Service ranges. */
export const SITE_LINK = "fairlead0";

/** Where `ip netns` keeps its names. */
const NETNS_NAMES = "/run/netns";

/** Settings a router needs, with the reason each must change. */
function wantedSysctls(config: SystemConfig, interfaces: readonly string[]): Record<string, string> {
  const wanted: Record<string, string> = { "net/ipv4/ip_forward": "1" };
  if (config.podRanges.some((range) => range.includes(":"))) {
    // Interfaces that learn their routes from router advertisements stop doing so on a router unless told 2.
    for (const name of interfaces) wanted[`net/ipv6/conf/${name}/accept_ra`] = "2";
    wanted["net/ipv6/conf/all/forwarding"] = "1";
  }
  return wanted;
}

/** A dummy interface where the kernel has them; a bridge without ports carries addresses just as well. */
async function addSiteLink(host: Host): Promise<void> {
  for (const type of ["dummy", "bridge"]) {
    try {
      await ipBatch(host, [`link add ${SITE_LINK} type ${type}`]);
      return;
    } catch (error) {
      if (isAlreadySo(error)) return;
      if (type === "bridge") throw error;
    }
  }
}

/** Links of a site: its own, its proxy's, and the node's ends of the pods' pairs, the one that pods share among them. Others begin with `fl` too: flannel's, for one. */
export const isSiteLink = (name: string): boolean =>
  name === SITE_LINK || name === PROXY_LINK || name === SHARED_LINK || /^fl[0-9a-f]{8}$/.test(name);

const isRange = (range: string, family: number): boolean => (family === 6) === range.includes(":");

/**
 * Makes the site's own interface, addresses and routes, and turns forwarding on, in the network namespace this process is in.
 * What already is so stays (a site that is adopted). Answers whether forwarding was off before us.
 */
export async function makeSiteNetwork(
  host: Host,
  config: SystemConfig,
  addresses: WellKnownAddresses,
  madePath: string,
  interfaces: readonly string[],
): Promise<{ forwardingWasOff: boolean }> {
  const made = (await readMade(madePath)) ?? NOTHING_MADE;
  const sysctls: Record<string, string> = { ...made.sysctls };
  const changes: [string, string][] = [];
  for (const [name, value] of Object.entries(wantedSysctls(config, interfaces))) {
    const present = await readSysctl(name);
    // accept_ra 0 means that nobody wants advertisements: leave it.
    if (present === undefined || present === value || (name.endsWith("accept_ra") && present === "0")) continue;
    sysctls[name] ??= present;
    changes.push([name, value]);
  }
  // A mount on /run that is newer hides an older one below it.
  const visible = (await readMounts()).findLast(({ point }) => point === NETNS_NAMES || point === dirname(NETNS_NAMES));
  const isMounted = visible?.point === NETNS_NAMES;
  const mounts = made.mounts ?? (isMounted ? [] : [NETNS_NAMES]);
  await writeMade(madePath, { ...made, links: [...new Set([...made.links, SITE_LINK])], mounts, sysctls });
  for (const [name, value] of changes) await writeSysctl(name, value);

  await addSiteLink(host);
  const families = [4, 6].filter((family) => config.podRanges.some((range) => isRange(range, family)));
  await ipBatch(host, [
    "link set lo up",
    // Nobody is on the other side of it: no link-local address, no time spent asking whether that is somebody else's.
    `link set ${SITE_LINK} addrgenmode none`,
    `link set ${SITE_LINK} up`,
    ...families.flatMap((family) => [
      ...addresses.gateways
        .filter((gateway) => isRange(gateway, family))
        .map(
          (gateway) =>
            `addr replace ${gateway}/${family === 4 ? 32 : 128} dev ${SITE_LINK}${family === 6 ? " nodad" : ""}`,
        ),
      // Without a route a connection to a Service ends before the output hook can translate it.
      ...config.serviceRanges
        .filter((range) => isRange(range, family))
        .map((range) => `route replace ${range} dev ${SITE_LINK}`),
      ...config.loadBalancerPools
        .flatMap(({ ranges }) => ranges.flatMap((range) => cidrsOf(parseAddressRange(range))))
        .filter((range) => isRange(range, family))
        .map((range) => `route replace ${range} dev ${SITE_LINK}`),
    ]),
  ]);
  return { forwardingWasOff: sysctls["net/ipv4/ip_forward"] === "0" };
}

/** Takes away what {@link makeSiteNetwork} made and puts the settings back. */
export async function removeSiteNetwork(host: Host, madePath: string): Promise<void> {
  const made = await readMade(madePath);
  if (made === undefined) return;
  for (const link of made.links) {
    await ipBatch(host, [`link del ${link}`]).catch((error: unknown) => {
      if (!isAlreadySo(error)) throw error;
    });
  }
  for (const point of made.mounts ?? []) {
    // Somebody else may have come to use it since.
    const left = await readdir(point).catch(() => []);
    if (left.length === 0) await host.run("umount", [point]);
  }
  // `all/forwarding` first: it writes the value to every interface.
  const ordered = Object.entries(made.sysctls).sort(
    ([one], [other]) => Number(other.includes("/all/")) - Number(one.includes("/all/")),
  );
  for (const [name, value] of ordered) {
    if ((await readSysctl(name)) !== undefined) await writeSysctl(name, value);
  }
}

/** A route as `ip -j route show` tells it, as far as it matters here. */
export interface Route {
  readonly dst?: string;
  readonly dev?: string;
  readonly type?: string;
  readonly nexthops?: readonly { readonly dev?: string }[];
}

/** Refuses ranges that somebody else already routes. Answers the sentence of the fault, or undefined. */
export function overlapWithRoutes(ranges: readonly string[], routes: readonly Route[]): string | undefined {
  for (const text of ranges) {
    const range = parseCidr(text);
    for (const route of routes) {
      if (route.dst === undefined || route.dst === "default") continue;
      // A route over several links names them below; one that leads nowhere (blackhole, unreachable) has none.
      const device = route.dev ?? route.nexthops?.find(({ dev }) => dev !== undefined)?.dev;
      if (device !== undefined && isSiteLink(device)) continue;
      if (route.type === "broadcast" || route.type === "multicast" || route.type === "anycast") continue;
      const width = route.dst.includes(":") ? 128 : 32;
      const other = parseCidr(route.dst.includes("/") ? route.dst : `${route.dst}/${width}`);
      if (other.prefix === 0 || other.family !== range.family) continue;
      if (range.first <= other.last && other.first <= range.last) {
        return `the range ${range.text} overlaps the route to ${other.text} ${device === undefined ? `(${route.type ?? "without an interface"})` : `of interface ${device}`}`;
      }
    }
  }
  return undefined;
}
