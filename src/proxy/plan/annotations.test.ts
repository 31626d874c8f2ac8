import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import type { ServiceSpec } from "../../api/generated/types.ts";
import { at, ends, here, planOf, shares, slice, there, waysIn, web } from "../../../test/proxy/plan-examples.ts";
import type { ServicePlan } from "./plan.ts";

const said = (annotations: Record<string, string>, spec: Partial<ServiceSpec> = {}): ServicePlan =>
  planOf(web(spec, { annotations }), [slice([at(1)])])!;

for (const [text, expected] of [
  ["random", "random"],
  ["round-robin", "round-robin"],
  ["least-connections", "least-connections"],
  ["maglev", "maglev"],
  [" source-hash ", "source-hash"],
  ["fastest", undefined],
  ["", undefined],
  ["Random", undefined],
] as const) {
  test(`balance ${JSON.stringify(text)} is ${expected}`, () => {
    const plan = said({ "fairlead.dev/balance": text });
    equal(plan.ports[0]?.balance, expected);
    equal(plan.complaints.length, expected === undefined ? 1 : 0);
  });
}

test("a value that cannot be read is told with the annotation, what it is, and what it should be", () => {
  deepEqual(said({ "fairlead.dev/balance": "fastest" }).complaints, [
    'fairlead.dev/balance is "fastest" and should be random, round-robin, least-connections, maglev or source-hash; it is passed over',
  ]);
  const [long] = said({ "fairlead.dev/balance": "x".repeat(5000) }).complaints;
  equal(long!.length < 250, true);
});

test("without annotations the engine does as it usually does", () => {
  const { ports, penaltyBox, complaints } = said({ "example.com/balance": "random", note: "x" });
  const [{ balance, onRemoval, keepsPort } = {} as never, ...others] = ports;
  deepEqual([balance, onRemoval, keepsPort, others], [undefined, { action: "keep" }, false, []]);
  deepEqual([penaltyBox, complaints], [true, []]);
});

for (const [text, expected] of [
  ["keep", { action: "keep" }],
  ["close", { action: "close", after: 0 }],
  ["close-after=30s", { action: "close", after: 30_000 }],
  ["close-after=1m30s", { action: "close", after: 90_000 }],
  ["close-after=0s", { action: "close", after: 0 }],
  ["close-after=30", undefined],
  ["close-after=-1s", undefined],
  ["close-after=", undefined],
  ["drop", undefined],
] as const) {
  test(`on-removal ${text} is ${JSON.stringify(expected)}`, () => {
    const plan = said({ "fairlead.dev/on-removal": text });
    deepEqual(plan.ports[0]?.onRemoval, expected ?? { action: "keep" });
    equal(plan.complaints.length, expected === undefined ? 1 : 0);
  });
}

test("penalty-box: off, on, and anything else", () => {
  for (const [text, boxed, complaints] of [
    ["off", false, 0],
    ["on", true, 0],
    ["no", true, 1],
  ] as const) {
    const plan = said({ "fairlead.dev/penalty-box": text });
    deepEqual([plan.penaltyBox, plan.complaints.length], [boxed, complaints]);
  }
});

test("an endpoint in the penalty box is left out, unless all are or the Service wants no penalties", () => {
  const plan = (bad: readonly string[], annotations: Record<string, string> = {}): string =>
    ends(
      planOf(web({}, { annotations }), [slice([at(1), at(2)])], {
        isPenalized: ({ ip, port }, protocol) => bad.includes(`${ip}:${port}/${protocol}`),
      })?.ports[0]?.cluster,
    );
  equal(plan(["10.244.0.1:8080/TCP"]), "2");
  equal(plan(["10.244.0.1:8080/UDP"]), "1 2");
  equal(plan(["10.244.0.1:8080/TCP", "10.244.0.2:8080/TCP"]), "1 2");
  equal(plan(["10.244.0.1:8080/TCP"], { "fairlead.dev/penalty-box": "off" }), "1 2");
});

const ENDPOINTS = "fairlead.dev/endpoints";
const POD = { kind: "Pod", namespace: "default" };
/** Endpoints 1 to 4 of pods `p1` to `p4`, and what the slice says of them. */
const weighed = (text: object | string, endpoints = [here(1), there(2), there(3), there(4)]) => {
  const annotations = { [ENDPOINTS]: typeof text === "string" ? text : JSON.stringify(text) };
  const named = endpoints.map((one) => ({
    ...one,
    targetRef: { ...POD, name: `p${one.addresses[0]!.slice("10.244.0.".length)}` },
  }));
  const metadata = {
    name: "web-1",
    namespace: "default",
    labels: { "kubernetes.io/service-name": "web" },
    annotations,
  };
  const plan = planOf(web({ internalTrafficPolicy: "Local" }), [slice(named, "web-1", { metadata })])!;
  return {
    cluster: shares(plan.ports[0]?.cluster),
    local: shares(plan.ports[0]?.internal),
    complaints: plan.complaints,
  };
};

for (const [name, text, expected] of [
  ["who says nothing has an ordinary share", { p1: { weight: "10" } }, "1×1 2×10 3×10 4×10"],
  ["as small numbers as can be", { p1: { weight: "50" }, p2: { weight: "200" } }, "1×1 2×4 3×2 4×2"],
  [
    "equal weights are none",
    { p1: { weight: 7 }, p2: { weight: 7 }, p3: { weight: 7 }, p4: { weight: 7 } },
    "1×1 2×1 3×1 4×1",
  ],
  ["no share is no new connection", { p1: { weight: "0" } }, "2×1 3×1 4×1"],
  [
    "unless all have none",
    { p1: { weight: "0" }, p2: { weight: "0" }, p3: { weight: "0" }, p4: { weight: "0" } },
    "1×1 2×1 3×1 4×1",
  ],
  ["a stand-in waits", { p1: { backup: "true" }, p2: { backup: "false" } }, "2×1 3×1 4×1"],
  [
    "unless all are",
    { p1: { backup: true }, p2: { backup: true }, p3: { backup: true }, p4: { backup: true } },
    "1×1 2×1 3×1 4×1",
  ],
  [
    "a stand-in goes before those that have no share",
    { p1: { weight: "0" }, p2: { weight: "0" }, p3: { weight: "0" }, p4: { backup: "true", weight: "30" } },
    "4×1",
  ],
  ["names that no endpoint has say nothing", { p9: { weight: "0" } }, "1×1 2×1 3×1 4×1"],
] as const) {
  test(`shares: ${name}`, () => {
    const { cluster, complaints } = weighed(text);
    deepEqual([cluster, complaints], [expected, []]);
  });
}

test("shares: a stand-in is used when the others are not ready, and leaves new connections to none that is", () => {
  equal(weighed({ p1: { backup: "true" } }, [here(1), there(2, "unready"), there(3, "leaving")]).cluster, "1×1");
  equal(weighed({ p1: { backup: "true" } }, [here(1, "leaving"), there(2, "leaving")]).cluster, "2×1");
});

test("shares: of the Local list its own are weighed", () => {
  equal(weighed({ p1: { backup: "true" } }).local, "1×1");
  equal(weighed({ p1: { weight: "0" } }).local, "1×1");
});

for (const [text, sentence] of [
  [
    { p1: { weight: "heavy" } },
    /EndpointSlice default\/web-1: of p1: fairlead.dev\/weight is "heavy" and should be a whole/,
  ],
  [{ p1: { weight: "1001" } }, /"1001"/],
  [{ p1: { weight: "-1" } }, /"-1"/],
  [{ p1: { weight: "1.5" } }, /"1.5"/],
  [{ p1: { backup: "yes" } }, /of p1: fairlead.dev\/backup is "yes" and should be true or false/],
  ["{", /fairlead.dev\/endpoints should be a JSON object/],
  ["[]", /should be a JSON object/],
  ['{"p1":5}', /should be a JSON object/],
] as const) {
  test(`shares: ${JSON.stringify(text)} is told and passed over`, () => {
    const { cluster, complaints } = weighed(text);
    equal(cluster, "1×1 2×1 3×1 4×1");
    equal(complaints.length, 1);
    match(complaints[0]!, sentence);
  });
}

test("shares: endpoints of slices made by hand are named by their address", () => {
  const annotations = { [ENDPOINTS]: '{"10.244.0.1":{"weight":25}}' };
  const metadata = {
    name: "web-1",
    namespace: "default",
    labels: { "kubernetes.io/service-name": "web" },
    annotations,
  };
  equal(shares(planOf(web(), [slice([at(1), at(2)], "web-1", { metadata })])?.ports[0]?.cluster), "1×1 2×4");
});

test("shares: a stand-in nearby waits for the others far away, and who fails nearby gives way to who is well far away", () => {
  const zoned = (number: number, zone: string) => ({ ...there(number), hints: { forZones: [{ name: zone }] } });
  const annotations = { [ENDPOINTS]: '{"10.244.0.1":{"backup":"true"}}' };
  const metadata = {
    name: "web-1",
    namespace: "default",
    labels: { "kubernetes.io/service-name": "web" },
    annotations,
  };
  const endpoints = [zoned(1, "a"), zoned(2, "b")];
  const found = (more: object, context: object = {}): string =>
    ends(planOf(web(), [slice(endpoints, "web-1", more)], { zone: "a", ...context })?.ports[0]?.cluster);
  equal(found({}), "1");
  equal(found({ metadata }), "2");
  equal(found({}, { isPenalized: ({ ip }: { ip: string }) => ip === "10.244.0.1" }), "2");
});

const MANY: ServiceSpec["ports"] = [
  { name: "sip", port: 5060, protocol: "UDP" },
  { name: "web", port: 8080, protocol: "TCP", nodePort: 30_080 },
];
for (const [text, spec, ways, sentence] of [
  ["8000-8999", {}, { "http/TCP#range": ["8000-8999"] }, undefined],
  ["http=8000-8999", {}, { "http/TCP#range": ["8000-8999"] }, undefined],
  ["80=8000-8999", {}, { "http/TCP#range": ["8000-8999"] }, undefined],
  ["http=8000-8099, http=9000-9099", {}, { "http/TCP#range": ["8000-8099", "9000-9099"] }, undefined],
  ["8000-8000", {}, { "http/TCP#range": ["8000-8000"] }, undefined],
  ["1-65535", {}, { "http/TCP#range": ["1-79", "81-65535"] }, undefined],
  ["80-80", {}, {}, undefined],
  ["sip=10000-20000", { ports: MANY }, { "sip/UDP#range": ["10000-20000"] }, undefined],
  ["web=5000-9000", { ports: MANY }, { "web/TCP#range": ["5000-8079", "8081-9000"] }, undefined],
  [
    "sip=5000-5100,web=5000-5100",
    { ports: MANY },
    { "sip/UDP#range": ["5000-5059", "5061-5100"], "web/TCP#range": ["5000-5100"] },
    undefined,
  ],
  [
    "10000-20000",
    { ports: MANY },
    {},
    /10000-20000 is left out: which port it belongs to must be said, and the ports of the Service are sip, web/,
  ],
  ["other=1-2", { ports: MANY }, {}, /there is no port other/],
  [
    "http=8000-8999,http=8999-9999",
    {},
    { "http/TCP#range": ["8000-8999"] },
    /8999-9999 is left out: it overlaps 8000-8999 before it/,
  ],
  ["8999-8000", {}, {}, /is "8999-8000" and should be FIRST-LAST/],
  ["0-10", {}, {}, /should be FIRST-LAST/],
  ["65000-65536", {}, {}, /should be FIRST-LAST/],
  ["8000", {}, {}, /should be FIRST-LAST/],
  ["", {}, {}, /should be FIRST-LAST/],
] as const satisfies readonly (readonly [string, Partial<ServiceSpec>, object, RegExp | undefined])[]) {
  test(`port-range ${text} of ${"ports" in spec ? "several ports" : "one port"}`, () => {
    const plan = planOf(web(spec, { annotations: { "fairlead.dev/port-range": text } }))!;
    const found = plan.ports.flatMap((port, index): [string, string[]][] =>
      port.keepsPort
        ? [[port.id.slice("default/web:".length), waysIn(plan, index).map((way) => way.split(" ")[2]!)]]
        : [],
    );
    deepEqual(Object.fromEntries(found), ways);
    deepEqual(plan.complaints.length, sentence === undefined ? 0 : 1);
    if (sentence !== undefined) match(plan.complaints[0]!, sentence);
  });
}

test("a range is called at all addresses and no node port, and leads to each address once, by the Service's policies", () => {
  const service = web(
    {
      type: "NodePort",
      externalTrafficPolicy: "Local",
      externalIPs: ["203.0.113.1"],
      ports: [{ name: "http", port: 80, protocol: "TCP", nodePort: 30_080 }],
    },
    { annotations: { "fairlead.dev/port-range": "8000-8999", "fairlead.dev/balance": "maglev" } },
  );
  const more = slice([here(1)], "web-2", { ports: [{ name: "http", port: 9090, protocol: "TCP" }] });
  const plan = planOf(service, [slice([here(1), there(2)]), more])!;
  const [, range] = plan.ports;
  deepEqual(waysIn(plan, 1), ["cluster 10.96.0.1 8000-8999", "external 203.0.113.1 8000-8999"]);
  equal(range?.nodePort, undefined);
  equal(plan.ports[0]?.nodePort, 30_080);
  deepEqual([range?.internal, range?.external, range?.cluster].map(ends), ["1 2", "1", "1 2"]);
  deepEqual(
    range?.serving.map(({ ip }) => ip),
    ["10.244.0.1", "10.244.0.2"],
  );
  equal(plan.ports[0]?.serving.length, 3);
  deepEqual([range?.balance, range?.externalLocal], ["maglev", true]);
});
