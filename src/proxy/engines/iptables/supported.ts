import type { IPFamily } from "../../../net/ip.ts";
import type { Support } from "../../engine.ts";
import { toolName, type Iptables } from "./tools.ts";
import { compile } from "./compile.ts";
import { compileNode } from "./frame.ts";
import { isOurs, TABLES, type Chain } from "./rules.ts";
import type { NodePlan, ServicePlan, Target } from "../../plan/plan.ts";

const PROBE = "FL-PROBE";

const SAMPLE_NODE: NodePlan = {
  nodeName: "probe",
  families: ["IPv4", "IPv6"],
  nodePortAddresses: { IPv4: "all", IPv6: "all" },
  localhostNodePorts: true,
  serviceRanges: [],
  localDetector: { by: "ranges", ranges: [] },
  nodeAddresses: [],
  masqueradeAll: false,
  masqueradeBit: 14,
  forwardOnly: undefined,
};

function sampleService(family: IPFamily): ServicePlan {
  const ip = family === "IPv4" ? "192.0.2.1" : "2001:db8::1";
  const target: Target = { ip, port: 1, local: false, weight: 1 };
  const destination = { to: "targets", targets: [target, { ...target, port: 2 }] } as const;
  const port = {
    family,
    protocol: "TCP",
    frontends: [],
    nodePort: 1,
    internal: destination,
    external: destination,
    cluster: destination,
    externalLocal: false,
    serving: [],
    onRemoval: { action: "keep" },
    keepsPort: false,
    sourceRanges: undefined,
  } as const;
  const ports = [
    { ...port, id: "probe/random", balance: undefined, affinitySeconds: 1 },
    { ...port, id: "probe/turn", balance: "round-robin", affinitySeconds: undefined },
    { ...port, id: "probe/client", balance: "source-hash", affinitySeconds: undefined },
  ] as const;
  return {
    key: "probe",
    clusterIPs: [],
    ports,
    healthCheckNodePort: undefined,
    localReady: [],
    penaltyBox: true,
    complaints: [],
  };
}

/** Every kind of rule that we write, in a chain to which nothing leads: only the kernel knows what it can. */
function probeText(family: IPFamily): string {
  const frame = compileNode(SAMPLE_NODE);
  const part = compile(sampleService(family), SAMPLE_NODE);
  const chains: readonly Chain[] = [...frame.chains, ...part.chains].filter((chain) => chain.family === family);
  const lines: string[] = [];
  for (const table of TABLES) {
    const rules = chains.filter((chain) => chain.table === table).flatMap((chain) => chain.rules);
    const plain = rules.map((rule) =>
      rule.replace(/-[jg] (\S+)/, (jump: string, to: string) => (isOurs(to) ? "-j RETURN" : jump)),
    );
    // MASQUERADE is for one hook and DNAT for others; of a chain to which nothing leads the kernel does not ask which.
    lines.push(`*${table}`, `:${PROBE} - [0:0]`, ...new Set(plain.map((rule) => `-A ${PROBE} ${rule}`)), "COMMIT");
  }
  return `${lines.join("\n")}\n`;
}

const removeProbe = TABLES.map((table) => `*${table}\n:${PROBE} - [0:0]\n-X ${PROBE}\nCOMMIT\n`).join("");

/** Whether the tools are here and the kernel takes our rules: tried in a chain that no packet comes to, which goes again. */
export async function supported(iptables: Iptables, families: readonly IPFamily[]): Promise<Support> {
  for (const family of families) {
    for (const action of ["restore", "save"] as const) {
      const tool = toolName(family, iptables.backend, action);
      if ((await iptables.host.which(tool)) === undefined) {
        const missing = `the tool ${tool} is not installed: install the package iptables (1.8 or newer)`;
        return { supported: false, missing };
      }
    }
    if ((await iptables.host.which("sysctl")) === undefined) {
      return { supported: false, missing: "the tool sysctl is not installed: install the package procps" };
    }
    try {
      await iptables.restore(family, probeText(family));
    } catch (error) {
      const complaint = (error as Error).message;
      const denied = /Permission denied|Operation not permitted|you must be root/i.test(complaint);
      return {
        supported: false,
        missing: denied
          ? "changing iptables rules is not permitted here: it needs root, or a network namespace of one's own"
          : `iptables or the kernel does not take the rules: ${complaint}`,
      };
    } finally {
      await iptables.restore(family, removeProbe).catch(() => {});
    }
  }
  return { supported: true };
}
