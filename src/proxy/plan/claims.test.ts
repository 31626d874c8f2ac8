import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { Service, ServiceSpec } from "../../api/generated/types.ts";
import { tracker, waysIn, web } from "../../../test/proxy/plan-examples.ts";

const SHARED = "203.0.113.9";
/** A Service at 10.96.0.`number`, older the smaller the number, that wants the shared address too. */
const claimant = (number: number, spec: Partial<ServiceSpec> = {}, range?: string): Service =>
  web(
    { clusterIP: `10.96.0.${number}`, clusterIPs: [`10.96.0.${number}`], externalIPs: [SHARED], ...spec },
    {
      name: `s${number}`,
      created: `2026-01-0${number}T00:00:00Z`,
      ...(range === undefined ? {} : { annotations: { "fairlead.dev/port-range": range } }),
    },
  );
const key = (number: number): string => `default/s${number}`;

function scene() {
  const one = tracker();
  return {
    set: (number: number, service: Service | undefined) => one.setService(key(number), service),
    replan: () => [...one.replan().keys()].toSorted(),
    /** The Service's ways in at the shared address, of its ports or its range. */
    at: (number: number, index = 0): string[] =>
      waysIn(one.plans.get(key(number)), index)
        .filter((way) => way.includes(SHARED))
        .map((way) => way.slice(`external ${SHARED} `.length)),
    nodePort: (number: number) => one.plans.get(key(number))?.ports[0]?.nodePort,
    complaints: (number: number) => one.plans.get(key(number))?.complaints,
  };
}

test("PRX-044: of two Services with one externalIP the older has it, the younger says so and gets it when that goes", () => {
  const { set, replan, at, complaints } = scene();
  set(2, claimant(2));
  deepEqual(replan(), [key(2)]);
  deepEqual([at(2), complaints(2)], [["80"], []]);
  set(1, claimant(1));
  deepEqual(replan(), [key(1), key(2)]);
  deepEqual([at(1), at(2), complaints(1)], [["80"], [], []]);
  deepEqual(complaints(2), ["203.0.113.9:80/TCP is answered by Service default/s1, which goes first; it is left out"]);
  set(1, undefined);
  deepEqual(replan(), [key(1), key(2)]);
  deepEqual([at(2), complaints(2)], [["80"], []]);
});

test("PRX-044: other ports and other protocols of one address are no conflict", () => {
  const { set, replan, at } = scene();
  set(1, claimant(1));
  set(2, claimant(2, { ports: [{ name: "http", port: 81, protocol: "TCP" }] }));
  set(3, claimant(3, { ports: [{ name: "http", port: 80, protocol: "UDP" }] }));
  replan();
  deepEqual([at(1), at(2), at(3)], [["80"], ["81"], ["80"]]);
});

test("PRX-044: what is left out is left out alone", () => {
  const { set, replan, at } = scene();
  set(1, claimant(1));
  const ports = [80, 81].map((port) => ({ name: `p${port}`, port, protocol: "TCP" }));
  set(2, claimant(2, { ports, externalIPs: [SHARED, "203.0.113.8"] }));
  replan();
  deepEqual([at(2, 0), at(2, 1)], [[], ["81"]]);
});

test("an externalIP never takes another Service's clusterIP, however old it is", () => {
  const { set, replan, at, complaints } = scene();
  set(1, claimant(1, { externalIPs: ["10.96.0.2"] }));
  set(2, claimant(2));
  replan();
  deepEqual(at(2), ["80"]);
  equal(complaints(1)?.[0], "10.96.0.2:80/TCP is answered by Service default/s2, which goes first; it is left out");
});

test("of two Services with one node port the older has it; on a node port of another protocol both are", () => {
  const { set, replan, nodePort, complaints } = scene();
  const on = (protocol: string): Partial<ServiceSpec> => ({
    type: "NodePort",
    ports: [{ name: "p", port: 80, protocol, nodePort: 30_000 }],
  });
  set(2, claimant(2, { ...on("TCP"), externalIPs: [] }));
  set(1, claimant(1, { ...on("TCP"), externalIPs: [] }));
  set(3, claimant(3, { ...on("UDP"), externalIPs: [] }));
  replan();
  deepEqual([nodePort(1), nodePort(2), nodePort(3)], [30_000, undefined, 30_000]);
  deepEqual(complaints(2), ["node port 30000/TCP is that of Service default/s1, which goes first; it is left out"]);
});

test("a range yields the ports of an older Service, and takes those of a younger one", () => {
  const { set, replan, at, complaints } = scene();
  const elsewhere = { ports: [{ name: "http", port: 8500, protocol: "TCP" }] };
  set(2, claimant(2, {}, "8000-8999"));
  replan();
  deepEqual(at(2, 1), ["8000-8999"]);
  set(3, claimant(3, elsewhere));
  deepEqual(replan(), [key(3)]);
  deepEqual(at(3), []);
  equal(complaints(3)?.length, 1);
  set(1, claimant(1, elsewhere));
  replan();
  deepEqual([at(1), at(2, 1), at(3)], [["8500"], ["8000-8499", "8501-8999"], []]);
  deepEqual(complaints(2), ["203.0.113.9 ports 8000-8999/TCP are left out where default/s1 answer first"]);
  set(1, undefined);
  set(2, undefined);
  replan();
  deepEqual(at(3), ["8500"]);
});

test("of two ranges the older has what both want, and clusterIPs are nobody else's", () => {
  const { set, replan, at } = scene();
  set(2, claimant(2, {}, "8000-8999"));
  set(1, claimant(1, {}, "8900-9100"));
  replan();
  deepEqual([at(1, 1), at(2, 1)], [["8900-9100"], ["8000-8899"]]);
  set(1, undefined);
  replan();
  deepEqual(at(2, 1), ["8000-8999"]);
});

test("who is named as going first is who still does", () => {
  const { set, replan, complaints } = scene();
  set(1, claimant(1, {}, "8000-8999"));
  set(2, claimant(2, { ports: [{ name: "http", port: 8500, protocol: "TCP" }] }));
  set(3, claimant(3, { ports: [{ name: "http", port: 81, protocol: "TCP" }] }, "8000-8999"));
  replan();
  const named = "203.0.113.9 ports 8000-8999/TCP are left out where";
  deepEqual(complaints(3), [`${named} default/s1, default/s2 answer first`]);
  set(2, undefined);
  replan();
  deepEqual(complaints(3), [`${named} default/s1 answer first`]);
});

test("a change that alters no way in has no other Service planned again", () => {
  const { set, replan } = scene();
  for (const number of [1, 2, 3]) set(number, claimant(number));
  replan();
  set(1, claimant(1, { sessionAffinity: "ClientIP" }));
  deepEqual(replan(), [key(1)]);
  set(3, undefined);
  deepEqual(replan(), [key(3)]);
});
