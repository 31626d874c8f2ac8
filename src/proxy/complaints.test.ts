import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { EventRecorder } from "../client/events.ts";
import { abilityComplaints } from "./complaints.ts";
import type { AnyEngine } from "./engine.ts";
import type { AppliedRound } from "./loop.ts";
import type { ServicePlan, ServicePortPlan, Target } from "./plan/plan.ts";
import { tellComplaints } from "./telling.ts";

const NOT = { not: "it is not made for that" };
const engine = {
  name: "nftables",
  abilities: {
    udp: true,
    sctp: NOT,
    sessionAffinity: NOT,
    dropOutsideSourceRanges: true,
    weights: NOT,
    portRanges: NOT,
    balance: { random: true, "round-robin": true, "least-connections": NOT, maglev: true, "source-hash": true },
  },
} as unknown as Pick<AnyEngine, "name" | "abilities">;
const target = (weight: number): Target => ({ ip: "10.0.0.1", port: 1, local: true, weight });
const plan = (...ports: Partial<ServicePortPlan>[]): ServicePlan =>
  ({
    key: "default/web",
    complaints: [],
    ports: ports.map((port) => ({ protocol: "TCP", cluster: { to: "reject" }, keepsPort: false, ...port })),
  }) as unknown as ServicePlan;

test("what an engine can do is no complaint", () => {
  deepEqual(abilityComplaints(engine, plan({ balance: "maglev" }, { protocol: "UDP" })), []);
  const same = { to: "targets", targets: [target(2), target(2)] } as const;
  deepEqual(abilityComplaints(engine, plan({ cluster: same })), []);
});

test("what it cannot do is a sentence with the reason and what happens instead, once for all ports", () => {
  const cluster = { to: "targets", targets: [target(1), target(9)] } as const;
  const port = {
    balance: "least-connections",
    cluster,
    keepsPort: true,
    affinitySeconds: 1,
    protocol: "SCTP",
  } as const;
  const cannot = "cannot be done by nftables: it is not made for that";
  deepEqual(abilityComplaints(engine, plan(port, port)), [
    `ports of protocol SCTP: ${cannot}; nothing answers on them`,
    `fairlead.dev/balance: least-connections ${cannot}; random is used`,
    `fairlead.dev/weight ${cannot}; every endpoint has the same share`,
    `fairlead.dev/port-range ${cannot}; it is not carried`,
    `sessionAffinity: ClientIP ${cannot}; it is not kept`,
  ]);
});

test("a complaint is told once as a Warning on its Service, and again when it comes back", () => {
  const told: string[] = [];
  const recorder = {
    event: (_: object, type: string, reason: string, message: string) => void told.push(`${type} ${reason} ${message}`),
  } as unknown as EventRecorder;
  const telling = tellComplaints({
    engine,
    recorder,
    service: () => ({ apiVersion: "v1", kind: "Service", metadata: { name: "web" } }),
  });
  const round = (complaints: string[]): void =>
    telling.applied({ changes: new Map([["default/web", { ...plan(), complaints }]]) } as unknown as AppliedRound);
  round(["one"]);
  round(["one"]);
  round(["one", "two"]);
  round([]);
  round(["one"]);
  deepEqual(
    told,
    ["one", "two", "one"].map((word) => `Warning NotCarriedAsWritten ${word}`),
  );
});

test("what an engine meets as things are now is told too, beside what the plan says", () => {
  const told: string[] = [];
  const recorder = {
    event: (_: object, _type: string, _reason: string, message: string) => void told.push(message),
  } as unknown as EventRecorder;
  let met: string[] = ["somebody has its port"];
  const telling = tellComplaints({
    engine: { ...engine, complaints: (key) => (key === "default/web" ? met : []) },
    recorder,
    service: () => ({ apiVersion: "v1", kind: "Service", metadata: { name: "web" } }),
  });
  const round = (key: string): void =>
    telling.applied({
      changes: new Map([[key, { ...plan(), complaints: ["of the plan"] }]]),
    } as unknown as AppliedRound);
  round("default/other");
  deepEqual(told.splice(0), ["of the plan"]);
  round("default/web");
  deepEqual(told.splice(0), ["of the plan", "somebody has its port"]);
  met = [];
  round("default/web");
  deepEqual(told, []);
});
