/**
 * New connections from a pod through a ClusterIP to a pod of the same node: direct, and through each engine with 1 and with 10,000 Services; connections
 * a second and the time to the first byte. Rivals in the same run: a ruleset of a chain for each Service and endpoint, as kube-proxy's is, and HAProxy in TCP
 * mode. IPVS has a benchmark of its own (proxy-uml), since it needs another kernel.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROXY_ENGINES } from "../src/cli/proxy-engines.ts";
import { loadText } from "../src/host/nft.ts";
import type { Host } from "../src/host/host.ts";
import type { ProxyMode } from "../src/proxy/engine.ts";
import { openNetwork, PODS } from "../test/proxy/lab/network.ts";
import { standOnOwnGround } from "../test/lab/ground.ts";
import { measureWays } from "./connection-load.ts";
import { direct, engineOf, PORT, service, slice, throughEngine, VIP, way, type Way } from "./connection-ways.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 15);
const MANY = Number(process.env["SERVICES"] ?? 10_000);

/** The shape of kube-proxy's: a verdict map of Services, a chain for each, and one for each endpoint. */
function chains(services: number): string[] {
  const all = Array.from({ length: services }, (_, number) => ({
    ip: service(number).spec!.clusterIP!,
    targets: (slice(number).endpoints ?? []).map(({ addresses }) => addresses[0]!),
  }));
  const batches: string[] = [
    "table ip rival {\nmap services { type ipv4_addr . inet_proto . inet_service : verdict; }\nchain every { ip daddr . meta l4proto . th dport vmap @services; }\n" +
      "chain pre { type nat hook prerouting priority -100; goto every; }\nchain out { type nat hook output priority -100; goto every; }\n}\n",
  ];
  for (let at = 0; at < all.length; at += 500) {
    const lines: string[] = [];
    for (const [offset, { ip, targets }] of all.slice(at, at + 500).entries()) {
      const name = `s${at + offset}`;
      for (const [index, target] of targets.entries()) {
        lines.push(
          `add chain ip rival ${name}-${index}`,
          `add rule ip rival ${name}-${index} meta l4proto tcp dnat to ${target}:${PORT}`,
        );
      }
      const choice = targets.map((_, index) => `${index} : goto ${name}-${index}`).join(", ");
      lines.push(
        `add chain ip rival ${name}`,
        `add rule ip rival ${name} numgen random mod ${targets.length} vmap { ${choice} }`,
        `add element ip rival services { ${ip} . tcp . 80 : goto ${name} }`,
      );
    }
    batches.push(`${lines.join("\n")}\n`);
  }
  return batches;
}

async function throughChains(host: Host, services: number): Promise<() => Promise<void>> {
  for (const batch of chains(services)) await loadText(host, batch);
  return async () => void (await host.check("nft", ["delete", "table", "ip", "rival"], { timeout: 300_000 }));
}

async function throughHaproxy(host: Host): Promise<() => Promise<void>> {
  const config = `global\n nbthread 1\ndefaults\n mode tcp\n timeout connect 2s\n timeout client 5s\n timeout server 5s\nlisten web\n bind ${VIP}:80\n server one ${PODS.pod2.IPv4}:${PORT}\n`;
  await host.check("ip", ["addr", "add", `${VIP}/32`, "dev", "lo"]);
  const folder = mkdtempSync(join(tmpdir(), "fl-haproxy-"));
  writeFileSync(join(folder, "haproxy.cfg"), config);
  const running = await host.open("haproxy", ["-q", "-db", "-f", join(folder, "haproxy.cfg")], { stderr: "inherit" });
  return async () => {
    running.kill();
    await running.ended;
    rmSync(folder, { recursive: true });
    await host.check("ip", ["addr", "del", `${VIP}/32`, "dev", "lo"]);
  };
}

standOnOwnGround();
const network = await openNetwork();
const node = network.at("node");
const hasHaproxy = (await node.which("haproxy")) !== undefined;
const ways: Way[] = [
  direct(),
  ...Object.keys(PROXY_ENGINES)
    .filter((mode) => mode !== "ipvs")
    .flatMap((mode) =>
      (mode === "userspace" ? [1] : [1, MANY]).map((services) =>
        way(`${mode}, ${services} Services`, async () =>
          throughEngine(await engineOf(mode as ProxyMode, node), services),
        ),
      ),
    ),
  ...[1, 1000].map((services) => way(`rival: chains, ${services} Services`, () => throughChains(node, services))),
  ...(hasHaproxy ? [way("rival: HAProxy, TCP", () => throughHaproxy(node))] : []),
];
try {
  await measureWays(network, ways, { rounds: ROUNDS, milliseconds: 1000, cpu: "1" });
  if (!hasHaproxy) console.log("rival: HAProxy: not measured (it is not installed)");
} finally {
  await network.close();
}
process.exit();
