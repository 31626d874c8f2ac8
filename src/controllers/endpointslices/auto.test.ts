import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node, Service } from "../../api/generated/types.ts";
import { handFed } from "../../../test/controllers/cached.ts";
import { node, pod, service } from "../../../test/controllers/examples.ts";
import { applied, decide } from "../../../test/controllers/slices.ts";
import { createAutoServices } from "./auto.ts";

const AUTO = service({}, { annotations: { "service.kubernetes.io/topology-mode": "Auto" } });
const equipped = (name: string, zone: string, cpu = "1"): Node => ({
  ...node(name, { "topology.kubernetes.io/zone": zone }),
  status: { allocatable: { cpu }, conditions: [{ type: "Ready", status: "True" }] },
});

function scene(...known: Service[]) {
  const nodes = handFed<Node>();
  const services = handFed<Service>();
  for (const each of known) services.put(each);
  const changed: string[] = [];
  return { nodes, services, changed, auto: createAutoServices(nodes, services, (key) => void changed.push(key)) };
}

test("CTL-071: a node that changes shares has the Services looked at that ask for hints, and no other", () => {
  const { nodes, services, changed, auto } = scene(AUTO, service({}, { name: "plain", uid: "service-2" }));
  nodes.put(equipped("n1", "a"));
  nodes.put(equipped("n2", "b"));
  assert.deepEqual(changed.splice(0), ["shop/web", "shop/web"]);
  assert.deepEqual(
    auto.shares(),
    new Map([
      ["a", 0.5],
      ["b", 0.5],
    ]),
  );
  nodes.put({
    ...equipped("n2", "b"),
    metadata: { name: "n2", labels: { "topology.kubernetes.io/zone": "b", more: "x" } },
  });
  assert.deepEqual(changed, [], "what does not alter shares concerns nobody");
  nodes.put(equipped("n2", "b", "3"));
  assert.deepEqual(
    [changed.splice(0), auto.shares()],
    [
      ["shop/web"],
      new Map([
        ["a", 0.25],
        ["b", 0.75],
      ]),
    ],
  );
  nodes.remove("n2");
  assert.deepEqual([changed.splice(0), auto.shares()], [["shop/web"], "zones"]);
  services.put({ ...AUTO, metadata: { ...AUTO.metadata, annotations: {} } });
  nodes.remove("n1");
  assert.deepEqual(changed, []);
  services.put(AUTO);
  nodes.put(equipped("n1", "a"));
  assert.deepEqual(changed.splice(0), ["shop/web"]);
  services.remove("shop/web");
  nodes.remove("n1");
  assert.deepEqual(changed, []);
});

test("CTL-074: after a restart the slices remember that hints were given", () => {
  const { auto } = scene(AUTO);
  const shares = new Map([["a", 1]]);
  const existing = applied([], decide({ service: AUTO, pods: [pod("a", { ready: true })], shares: () => shares }));
  assert.deepEqual(auto.toldOf(AUTO, existing), { IPv4: "enabled" });
  assert.deepEqual(auto.toldOf(AUTO, []), {});
  auto.tell(AUTO, { IPv4: "nodes" });
  assert.deepEqual(auto.toldOf(AUTO, existing), { IPv4: "nodes" });
  const anew = { ...AUTO, metadata: { ...AUTO.metadata, uid: "service-2" } };
  assert.deepEqual(auto.toldOf(anew, []), {}, "what was told of a namesake does not count");
});
