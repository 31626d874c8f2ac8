import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { nftablesLab } from "./lab/nftables.ts";
import { clusterIP } from "./lab/objects.ts";
import { portPlan, servicePlan, target } from "./lab/planned.ts";

const lab = nftablesLab();

/** Three times as many as iptables' lists remember of an endpoint by default (PRX-100). */
const CLIENTS = Array.from({ length: 300 }, (_, at) => `10.20.${Math.floor(at / 100)}.${(at % 100) + 1}`);

test("PRX-101: 300 clients of two endpoints are all remembered, each with the endpoint it had", async () => {
  // A network behind the client, all of whose addresses are its own.
  await lab.network.at("client").check("ip", ["route", "add", "local", "10.20.0.0/16", "dev", "lo"]);
  await lab.node.check("ip", ["route", "add", "10.20.0.0/16", "via", "192.168.8.2"]);
  const planned = lab.plan();
  planned.set(servicePlan(1, portPlan(1, [target("pod1"), target("pod2")], { affinitySeconds: 600 })));
  await planned.apply();
  const where = async (): Promise<string[]> => {
    const found: string[] = [];
    for (const from of CLIENTS) {
      const [answer] = await lab.call("client", clusterIP(1, "IPv4"), 1, { from });
      found.push(answer!.split(" ")[0]!);
    }
    return found;
  };
  const first = await where();
  equal(new Set(first).size, 2, "both endpoints have clients");
  for (let round = 0; round < 2; round++) deepEqual(await where(), first);
});
