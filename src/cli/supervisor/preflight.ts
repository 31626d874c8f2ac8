import { access, constants } from "node:fs/promises";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import type { Host } from "../../host/host.ts";
import { ipJson } from "../../host/ip.ts";
import type { SystemConfig } from "../config.ts";
import { Failure } from "../failure.ts";
import { bootId } from "../process.ts";
import { readMade } from "../site/made.ts";
import { usualRanges } from "../load-balancer-config.ts";
import { overlapWithRoutes, SITE_LINK, type Route } from "../site/network.ts";

/** Tools that a site needs, and the Debian package that has each. */
const TOOLS: Readonly<Record<string, string>> = {
  ip: "iproute2",
  nft: "nftables",
  bwrap: "bubblewrap",
  nsenter: "util-linux",
  unshare: "util-linux",
  setpriv: "util-linux",
  mount: "mount",
};

async function tools(host: Host): Promise<void> {
  const found = await Promise.all(Object.keys(TOOLS).map(async (tool) => [tool, await host.which(tool)] as const));
  const missing = found.filter(([, path]) => path === undefined).map(([tool]) => tool);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((tool) => TOOLS[tool]!))];
  throw new Failure(
    `looking for the tools a site needs: ${missing.join(", ")} not found in PATH; install ${packages.join(" ")} ('npm run setup' does, or says how)`,
  );
}

/** The port must be free before anything is made; an adopted system has none of its own listening any more. */
function port({ host, port: number }: SystemConfig["listen"]): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === "EADDRINUSE"
          ? "another program has it; end that, or choose another port with --listen ADDR:PORT"
          : cause.code === "EADDRNOTAVAIL"
            ? "this host has no such address; choose one it has with --listen ADDR:PORT"
            : `${cause.message}; choose another with --listen ADDR:PORT`;
      reject(new Failure(`listening on ${host}:${number} for the API: ${why}`, { cause }));
    });
    probe.listen({ host: host === "" ? undefined : host, port: number, exclusive: true }, () =>
      probe.close(() => resolve()),
    );
  });
}

async function routes(host: Host, config: SystemConfig): Promise<void> {
  for (const family of ["-4", "-6"]) {
    const present = (await ipJson(host, [family, "route", "show", "table", "all"])) as Route[];
    const own = usualRanges(config.loadBalancerPools);
    const ranges = [...config.serviceRanges, ...config.podRanges, ...own].filter(
      (range) => range.includes(":") === (family === "-6"),
    );
    const overlap = overlapWithRoutes(ranges, present);
    if (overlap !== undefined) {
      throw new Failure(
        `${overlap}; choose others with --service-cluster-ip-range, --cluster-cidr and --load-balancer-range, or take a network of its own with --private`,
      );
    }
  }
}

/** A machine has one host site: two would take each other's link, routes and rules away. */
async function onlyHostSite(madePath: string): Promise<void> {
  if (networkInterfaces()[SITE_LINK] === undefined) return;
  const made = await readMade(madePath).catch(() => undefined);
  if (made?.boot === bootId() && made.anchor === undefined) return;
  throw new Failure(
    `looking for room for a site: another Fairlead has this network already (its interface ${SITE_LINK} is there); ` +
      `end that one with 'fairlead down --data DIR', or take a network of its own with --private`,
  );
}

/** Everything that can be known before anything is made. Throws Failure with the first fault. */
export async function preflight(host: Host, config: SystemConfig, madePath: string): Promise<void> {
  await tools(host);
  await port(config.listen);
  if (!config.private) {
    await onlyHostSite(madePath);
    await routes(host, config);
  }
  await access("/proc/self/ns/net", constants.R_OK).catch((cause: unknown) => {
    throw new Failure("reading /proc/self/ns/net: this needs Linux with /proc mounted", { cause });
  });
}
