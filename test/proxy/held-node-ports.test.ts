import { deepEqual } from "node:assert/strict";
import { after, before, test } from "node:test";
import type { AnyEngine } from "../../src/proxy/engine.ts";
import { iptablesEngine } from "../../src/proxy/engines/iptables/engine.ts";
import { nftablesEngine } from "../../src/proxy/engines/nftables/engine.ts";
import { Carried } from "./lab/carried.ts";
import { NODE, openNetwork, PODS, serveOn, type Network } from "./lab/network.ts";
import { service, slices } from "./lab/objects.ts";

const NODE_PORT = 30_084;
const ENGINES = { nftables: nftablesEngine, iptables: iptablesEngine } as const;
let network: Network;

before(async () => {
  network = await openNetwork();
});
after(() => network?.close());

for (const [name, open] of Object.entries(ENGINES)) {
  test(`PRX-084: ${name} holds no node port: a process of the host may listen on it, and who calls from outside gets the Service`, async () => {
    const engine = open(network.at("node")) as unknown as AnyEngine;
    const carried = new Carried(engine);
    const ports = [{ name: "tcp", port: 80, protocol: "TCP", nodePort: NODE_PORT }];
    const one = [service("held", 84, { type: "NodePort", ports }), slices("held", ["pod1"])] as const;
    const answers = async (): Promise<string[]> => {
      const found: string[] = [];
      for (const family of ["IPv4", "IPv6"] as const) {
        const request = { protocol: "TCP", ip: NODE[family].client, port: NODE_PORT, times: 1 } as const;
        found.push(...(await network.call("client", request)).map((text) => text.split(" ")[0]!));
      }
      return found;
    };
    carried.set(...one);
    await carried.apply();
    // Listening fails where somebody else has the port.
    const theirs = await serveOn(network.at("node"), NODE_PORT, ["host1"]);
    try {
      deepEqual(await answers(), [PODS.pod1.IPv4, PODS.pod1.IPv6]);
      carried.remove(...one);
      await carried.apply();
      deepEqual(await answers(), [PODS.host1.IPv4, PODS.host1.IPv6], "the host's own, when the Service is gone");
    } finally {
      theirs.stdin.end();
      await theirs.ended;
      await engine.close();
      await engine.cleanup(new AbortController().signal);
    }
  });
}
