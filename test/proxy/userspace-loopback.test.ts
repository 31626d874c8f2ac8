import { deepEqual, equal } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { silentLog } from "../../src/observe/log.ts";
import { carrierProcess } from "../../src/proxy/engines/userspace/carrier-process.ts";
import { loopbackNodePorts } from "../../src/proxy/engines/userspace/loopback.ts";
import { nftablesEngine } from "../../src/proxy/engines/nftables/engine.ts";
import type { Aftermath } from "../../src/proxy/proxy.ts";
import { until } from "../lab/until.ts";
import { Carried } from "./lab/carried.ts";
import { openNetwork, PODS, type Network } from "./lab/network.ts";
import { nodePlan, service, slices } from "./lab/objects.ts";

describe("node ports on loopback beside nftables", () => {
  let network: Network;
  let beside: Aftermath;
  let opened = 0;
  const node = nodePlan();
  let carried: Carried<unknown, unknown, unknown>;

  /** What the loop does: applies, then tells who comes after. */
  const apply = async (): Promise<void> => {
    const before = new Map(carried.tracker.plans);
    await carried.apply();
    const plans = carried.tracker.plans;
    const changes = new Map([...before.keys(), ...plans.keys()].map((key) => [key, plans.get(key)] as const));
    beside.applied({ changes, plans, node, full: false });
  };
  const ask = (protocol: "TCP" | "UDP", ip: string, port: number): Promise<string[]> =>
    network.call("node", { protocol, ip, port, times: 1, wait: 2000 });

  before(async () => {
    network = await openNetwork();
    const host = network.at("node");
    carried = new Carried<unknown, unknown, unknown>(nftablesEngine(host), node);
    beside = loopbackNodePorts({
      families: ["IPv4", "IPv6"],
      log: silentLog,
      open: (onRefused) => {
        opened += 1;
        return carrierProcess(host, { udpIdleTimeout: 10_000, onRefused });
      },
    });
  });
  after(async () => {
    await beside.stop();
    await carried.engine.close();
    await network.close();
  });

  test("no process runs as long as there is no node port", async () => {
    carried.set(service("plain", 90), slices("plain", ["pod1"]));
    await apply();
    equal(opened, 0);
  });

  for (const [ip, family] of [
    ["127.0.0.1", "IPv4"],
    ["::1", "IPv6"],
  ] as const) {
    test(`PRX-080, PRX-081, PRX-082: a node port answers on ${ip}, TCP and UDP, beside nftables`, async () => {
      const ports = [
        { name: "tcp", port: 80, protocol: "TCP", nodePort: 30_091 },
        { name: "udp", port: 80, protocol: "UDP", nodePort: 30_091 },
      ];
      carried.set(service("outside", 91, { type: "NodePort", ports }), slices("outside", ["pod1"]));
      await apply();
      for (const protocol of ["TCP", "UDP"] as const) {
        const answer = await until(`an answer by ${protocol}`, async () => {
          const [one = ""] = await ask(protocol, ip, 30_091);
          return one.startsWith(PODS.pod1[family]) && one;
        });
        equal(answer.split(" ")[0], PODS.pod1[family]);
      }
    });
  }

  test("without endpoints, and when the Service is gone, loopback refuses", async () => {
    const ports = [{ name: "tcp", port: 80, protocol: "TCP", nodePort: 30_091 }];
    const one = service("outside", 91, { type: "NodePort", ports });
    carried.set(one, slices("outside", []));
    await apply();
    await until("a refusal", async () => (await ask("TCP", "127.0.0.1", 30_091))[0] === "refused");
    carried.set(one, slices("outside", ["pod2"]));
    await apply();
    await until("the other pod", async () => (await ask("TCP", "127.0.0.1", 30_091))[0]?.startsWith(PODS.pod2.IPv4));
    carried.remove(one, slices("outside", []));
    await apply();
    await until("a refusal again", async () => (await ask("TCP", "127.0.0.1", 30_091))[0] === "refused");
    deepEqual(opened, 1);
  });
});
