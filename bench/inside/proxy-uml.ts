// The part of proxy-uml that runs in user-mode Linux.
import { iptablesEngine } from "../../src/proxy/engines/iptables/engine.ts";
import type { AnyEngine } from "../../src/proxy/engine.ts";
import { openNetwork } from "../../test/proxy/lab/network.ts";
import { standOnOwnGround } from "../../test/lab/ground.ts";
import { measureWays } from "../connection-load.ts";
import { direct, engineOf, throughEngine, way } from "../connection-ways.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 40);
const MANY = Number(process.env["SERVICES"] ?? 1000);

standOnOwnGround();
const network = await openNetwork();
const node = network.at("node");
const open: Readonly<Record<string, () => Promise<AnyEngine>>> = {
  // The kernel of the package has nftables for bridges alone.
  iptables: async () => iptablesEngine(node, ["IPv4"], { backend: "legacy" }),
  ipvs: () => engineOf("ipvs", node),
};
const ways = [
  direct(),
  ...Object.entries(open).flatMap(([name, engine]) =>
    [1, MANY].map((services) =>
      way(`${name}, ${services} Services`, async () => throughEngine(await engine(), services)),
    ),
  ),
];
try {
  await measureWays(network, ways, { rounds: ROUNDS, milliseconds: 250, cpu: "0" });
} finally {
  await network.close();
}
process.exit();
