import { after, before, test } from "node:test";
import * as fc from "fast-check";
import type { Endpoint, EndpointSlice, Service } from "../../../src/api/generated/types.ts";
import { usualBlock, usualKubernetes } from "../../../src/dns/configuration/usual.ts";
import { times } from "../../lab/counts.ts";
import type { Objects } from "./cluster.ts";
import { EXCEPTIONS } from "./exceptions.ts";
import { assertAlike, compare } from "./judge.ts";
import { namesFor, questionsFor } from "./questions.ts";
import { openSides, type Sides } from "./sides.ts";

const binary = process.env["COREDNS"];

interface RandomPort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
}

const ports = (least: number): fc.Arbitrary<RandomPort[]> =>
  fc
    .uniqueArray(
      fc.record({
        name: fc.constantFrom("http", "https", "dns", "a-b"),
        protocol: fc.constantFrom("TCP", "UDP", "SCTP"),
        port: fc.constantFrom(53, 80, 443, 8080),
      }),
      { minLength: least, maxLength: 3, selector: ({ name }) => name },
    )
    .map((given) => [...new Map(given.map((each) => [`${each.protocol} ${each.port}`, each])).values()]);

/** Endpoints share few addresses and host names, so that they meet. */
const endpoint = fc.record({
  host: fc.integer({ min: 1, max: 6 }),
  hostname: fc.option(fc.constantFrom("web-0", "web-1", "same"), { nil: undefined, freq: 2 }),
  ready: fc.option(fc.boolean(), { nil: undefined }),
});

const slices = fc.array(
  fc.record({
    isV6: fc.boolean(),
    ports: ports(0),
    endpoints: fc.uniqueArray(endpoint, { maxLength: 4, selector: ({ host }) => host }),
  }),
  { maxLength: 4 },
);

const randomService = fc.record({
  kind: fc.constantFrom("cluster", "dual", "headless", "headless", "external"),
  ports: ports(0),
  slices,
  target: fc.constantFrom("s0", "s1", "s2", "s3", "nothing", "web-0.s1", "external.test"),
});

type RandomService = typeof randomService extends fc.Arbitrary<infer T> ? T : never;

/** The objects of one set, in a namespace and with addresses of its own. */
function objectsOf(set: readonly RandomService[], number: number): Objects {
  const namespace = `r${number}`;
  const [high, low] = [number >> 8, number & 255];
  const services: Service[] = [];
  const all: EndpointSlice[] = [];
  for (const [at, { kind, ports: own, slices: cut, target }] of set.entries()) {
    const name = `s${at}`;
    const metadata = { name, namespace };
    const clusterIP = `10.${100 + high}.${low}.${10 + at}`;
    const given = own.length === 0 && kind !== "headless" ? [{ name: "", protocol: "TCP", port: 80 }] : own;
    const spec: Service["spec"] =
      kind === "external"
        ? {
            type: "ExternalName",
            externalName: target.includes(".test") ? target : `${target}.${namespace}.svc.cluster.local`,
          }
        : kind === "headless"
          ? { clusterIP: "None", ports: given }
          : {
              clusterIP,
              clusterIPs: kind === "dual" ? [clusterIP, `fd00:${number.toString(16)}::${10 + at}`] : [clusterIP],
              ports: given,
            };
    services.push({ apiVersion: "v1", kind: "Service", metadata, spec });
    for (const [index, each] of cut.entries()) {
      all.push({
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: { name: `${name}-${index}`, namespace, labels: { "kubernetes.io/service-name": name } },
        addressType: each.isV6 ? "IPv6" : "IPv4",
        ports: each.ports,
        endpoints: each.endpoints.map(({ host, hostname, ready }): Endpoint => ({
          addresses: [each.isV6 ? `2001:db8:${number.toString(16)}::${host}` : `172.${16 + high}.${low}.${host}`],
          ...(hostname === undefined ? {} : { hostname }),
          conditions: ready === undefined ? {} : { ready },
        })),
      });
    }
  }
  const metadata = { name: namespace };
  return { namespaces: [{ apiVersion: "v1", kind: "Namespace", metadata }], services, slices: all, pods: [] };
}

if (binary === undefined) {
  test("random objects, beside CoreDNS", { skip: "COREDNS names none" }, () => {});
} else {
  let sides: Sides;
  before(async () => {
    const kubernetes = { ...usualKubernetes("cluster.local"), fallthrough: [] };
    sides = await openSides(binary, [{ ...usualBlock, kubernetes }]);
  });
  after(() => (sides as Sides | undefined)?.close());

  test("beside CoreDNS: random Services and slices, by every form of name that they could have", async (t) => {
    let number = 0;
    let asked = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(randomService, { minLength: 1, maxLength: 5 }), async (set) => {
        number += 1;
        const objects = objectsOf(set, number);
        await sides.cluster.write(objects);
        await sides.settled();
        const questions = questionsFor(namesFor(objects), ["A", "AAAA", "SRV", "PTR"], 0, number);
        asked += questions.length;
        assertAlike(await compare(sides, { at: 0, name: "random" }, questions, EXCEPTIONS));
      }),
      { numRuns: times(30, 500), endOnFailure: false },
    );
    t.diagnostic(`${number} sets, ${asked} questions`);
  });
}
