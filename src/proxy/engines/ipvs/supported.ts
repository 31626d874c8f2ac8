import type { Host } from "../../../host/host.ts";
import type { IPFamily } from "../../../net/ip.ts";
import type { Support } from "../../engine.ts";
import { setCreation, setName } from "./names.ts";
import type { Iptables } from "./iptables.ts";

const TOOLS = [
  ["ipvsadm", "ipvsadm"],
  ["ipset", "ipset"],
  ["iptables", "iptables"],
  ["ip", "iproute2"],
] as const;

/** An address of no machine (RFC 5737), for a virtual server that is made to see whether it can be: PRX-184. */
const PROBE = "198.51.100.0:20000";

const no = (missing: string): Support => ({ supported: false, missing });

/** Whether tools and kernel carry this engine, tried by making a virtual server with the scheduler, and sets. */
export async function supported(
  host: Host,
  iptables: Iptables,
  families: readonly IPFamily[],
  scheduler: string,
): Promise<Support> {
  for (const [tool, name] of TOOLS) {
    if ((await host.which(tool)) === undefined) {
      return no(`the tool ${tool} is not installed: install the package ${name}`);
    }
  }
  const made = await host.run("ipvsadm", ["-A", "-t", PROBE, "-s", scheduler]);
  if (made.code === 0) await host.run("ipvsadm", ["-D", "-t", PROBE]);
  else if (/Scheduler or persistence engine not found/.test(made.stderr)) {
    const module = `ip_vs_${scheduler}`;
    return no(`the kernel has no IPVS scheduler ${scheduler}: load its module (modprobe ${module}) or choose another`);
  } else if (/Permission denied|not permitted|must be root/.test(made.stderr)) {
    return no("making virtual servers is not permitted here: it needs root, or a network namespace of one's own");
  } else if (!/already exists/.test(made.stderr)) {
    const complaint = made.stderr.trim().split("\n").at(-1);
    return no(`the kernel has no IPVS: load the module ip_vs (modprobe ip_vs), or take another engine (${complaint})`);
  }
  for (const family of families) {
    if (!(await iptables.works(family))) {
      const tool = family === "IPv4" ? "iptables" : "ip6tables";
      return no(
        `neither ${tool} nor ${tool}-legacy can list the kernel's rules: load ip_tables, or nf_tables with ${family}`,
      );
    }
  }
  const probe = setName(families[0] ?? "IPv4", "outside").replace("fairlead", "fairlead-probe");
  const creation = setCreation(families[0] ?? "IPv4", "outside").replace("fairlead", "fairlead-probe");
  const sets = await host.run("ipset", ["restore"], { input: `${creation}\ndestroy ${probe}\n` });
  if (sets.code !== 0) {
    return no(`the kernel takes no sets with marks (load ip_set_hash_ipport): ${sets.stderr.trim().split("\n")[0]}`);
  }
  return { supported: true };
}
