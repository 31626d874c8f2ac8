import { ToolFailed, ToolMissing, type Host } from "../../../host/host.ts";
import { isAlreadySo } from "../../../host/ip.ts";

/** An interface of our own, onto which all hangs that we make local: it takes all of that with it when it goes. */
export const PROXY_LINK = "fairleadproxy0";

const familyFlag = (ip: string): string => (ip.includes(":") ? "-6" : "-4");

/** `10.96.0.10`: packets to it are for this machine, whichever way they come. */
const localRoute = (ip: string): string => `local ${ip} dev ${PROXY_LINK} table local`;
/** `10.96.0.0/16`: packets to what of it is nobody's end in an interface on whose other side nobody is (PRX-072). */
const voidRoute = (range: string): string => `${range} dev ${PROXY_LINK} metric 4096`;

const routeOf = (destination: string): string =>
  destination.includes("/") ? voidRoute(destination) : localRoute(destination);

/** Whether this machine lets us: without rights over the network nothing here can be done. */
export const isForbidden = (error: unknown): boolean =>
  error instanceof ToolMissing ||
  (error instanceof ToolFailed && /Operation not permitted|Permission denied/.test(error.result.stderr));

/** Makes the interface if it is not there. A bridge without ports serves where the kernel has no dummies. Throws where it is forbidden. */
export async function makeLink(host: Host): Promise<void> {
  for (const type of ["dummy", "bridge"]) {
    try {
      await host.check("ip", ["link", "add", PROXY_LINK, "type", type]);
      break;
    } catch (error) {
      if (error instanceof ToolFailed && /File exists/.test(error.result.stderr)) break;
      if (type === "bridge" || isForbidden(error)) throw error;
    }
  }
  // Nobody is asked for on its other side, so packets into it vanish at once. It gets no address of the kernel's making, but only
  // when that is said before it is up.
  await host.check("ip", ["link", "set", PROXY_LINK, "arp", "off", "addrgenmode", "none"]);
  await host.check("ip", ["link", "set", PROXY_LINK, "up"]);
}

export async function removeLink(host: Host): Promise<void> {
  await host.check("ip", ["link", "del", PROXY_LINK]).catch((error: unknown) => {
    if (!isAlreadySo(error) && !(error instanceof ToolMissing)) throw error;
  });
}

/** Addresses and ranges that hang on our interface; none where it is not there. */
export async function readRoutes(host: Host, signal?: AbortSignal): Promise<Set<string>> {
  const found = new Set<string>();
  for (const flag of ["-4", "-6"]) {
    for (const table of ["local", "main"]) {
      const args = [flag, "-o", "route", "show", "table", table, "dev", PROXY_LINK];
      const { code, stdout } = await host.run("ip", args, { signal });
      if (code !== 0) continue;
      for (const line of stdout.split("\n")) {
        const [first = "", second = ""] = line.trim().split(/\s+/);
        if (table === "local" && first === "local") found.add(second);
        else if (table === "main" && first.includes("/") && !first.startsWith("fe80:")) found.add(first);
      }
    }
  }
  return found;
}

/**
 * Adds or removes addresses and ranges. What is there already, or gone, is no fault: the host may have the address itself (PRX-043).
 * Answers false when some line was of that kind, so that who wants to know must read.
 */
export async function changeRoutes(
  host: Host,
  how: "add" | "del",
  destinations: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  let isExact = true;
  for (const flag of ["-4", "-6"]) {
    const lines = destinations.filter((one) => familyFlag(one) === flag).map((one) => `route ${how} ${routeOf(one)}`);
    if (lines.length === 0) continue;
    const input = `${lines.join("\n")}\n`;
    const result = await host.run("ip", [flag, "-force", "-batch", "-"], { input, signal });
    if (result.code === 0) continue;
    isExact = false;
    const strange = result.stderr
      .split("\n")
      .find((line) => /^(RTNETLINK|Error)/.test(line) && !/File exists|No such process|Cannot find device/.test(line));
    if (strange !== undefined) throw new ToolFailed(`ip ${flag} -force -batch -`, input, result);
  }
  return isExact;
}
