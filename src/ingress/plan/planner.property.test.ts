import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import type { ServiceSpec } from "../../api/generated/types.ts";
import type { KubeObject } from "../../api/object.ts";
import {
  Cluster,
  ingress,
  ingressClass,
  options,
  pod,
  rule,
  secret,
  service,
  slice,
  tlsSecret,
} from "../../../test/ingress/plan-examples.ts";
import { word, type Word } from "./changes.ts";
import type { Certificate } from "./plan.ts";
import { createPlanner, planOf, type Planned } from "./planner.ts";

const NAMES = ["one", "two", "three"] as const;
const HOSTS = ["a.example", "b.example", "*.example", "www.a.example", ""] as const;
const PATHS = [
  "/",
  "/foo",
  "Exact /foo",
  "/foo/bar",
  "ImplementationSpecific /v[12]",
  "ImplementationSpecific /(",
] as const;
const ANNOTATIONS = [
  { canary: "true", "canary-weight": "10" },
  { "server-alias": "b.example,c.example" },
  { "from-to-www-redirect": "true" },
  { "use-regex": "true" },
  { affinity: "cookie" },
  { "force-ssl-redirect": "true" },
  { "default-backend": "three" },
  { "service-upstream": "true" },
  { "backend-protocol": "GRPC" },
  { "custom-http-errors": "503" },
] as const;

const certificates = [
  await tlsSecret("one", "a.example"),
  await tlsSecret("one", "*.example"),
  secret("one", { "tls.crt": "nonsense", "tls.key": "nonsense" }),
  await tlsSecret("two", "b.example"),
] as const;

/** Does something to a cluster, and says what. */
type Step = (cluster: Cluster) => Word;

const name = fc.constantFrom(...NAMES);
const backend = fc.tuple(name, fc.constantFrom("80", "http", "81")).map((parts) => parts.join(":"));
const rules = fc.array(
  fc
    .tuple(fc.constantFrom(...HOSTS), fc.array(fc.tuple(fc.constantFrom(...PATHS), backend), { maxLength: 3 }))
    .map(([host, paths]) =>
      paths.length === 0 ? { host } : rule(host, ...paths.map(([path, where]) => `${path} ${where}`)),
    ),
  { maxLength: 3 },
);
const putIngress: fc.Arbitrary<Step> = fc
  .record({
    name,
    rules,
    at: fc.integer({ min: 0, max: 2 }),
    rest: fc.option(backend),
    isOurs: fc.integer({ min: 0, max: 5 }).map((number) => number > 0),
    said: fc.subarray([...ANNOTATIONS], { maxLength: 2 }),
    tls: fc.array(
      fc.tuple(fc.constantFrom("one", "two", "missing"), fc.subarray(["a.example", "*.example", "b.example"])),
      {
        maxLength: 2,
      },
    ),
  })
  .map((given) => (cluster) => {
    const [service = "", port = ""] = (given.rest ?? "").split(":");
    const annotations = Object.fromEntries(
      given.said.flatMap((words) =>
        Object.entries(words).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value]),
      ),
    );
    const defaultBackend = {
      service: { name: service, port: port === "http" ? { name: port } : { number: Number(port) } },
    };
    cluster.put(
      ingress(
        {
          rules: given.rules,
          tls: given.tls.map(([secretName, hosts]) => ({ secretName, hosts })),
          ...(given.rest === null ? {} : { defaultBackend }),
          ...(given.isOurs ? {} : { ingressClassName: "other" }),
        },
        { name: given.name, at: given.at, annotations },
      ),
    );
    return `ingress default/${given.name}`;
  });

const put = (word: (name: string) => Word, objects: fc.Arbitrary<readonly [string, KubeObject]>): fc.Arbitrary<Step> =>
  objects.map(([one, object]) => (cluster) => {
    cluster.put(object);
    return word(`default/${one}`);
  });
const remove = (kind: string, word: (name: string) => Word): fc.Arbitrary<Step> =>
  name.map((one) => (cluster) => {
    cluster.remove(kind, `default/${one}`);
    return word(`default/${one}`);
  });
const specs: fc.Arbitrary<ServiceSpec> = fc.constantFrom<ServiceSpec[]>(
  {},
  { clusterIP: "None", clusterIPs: ["None"] },
  { ports: [{ port: 81 }] },
);
const pods = fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { maxLength: 3 });

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: putIngress },
  remove("Ingress", word.ingress),
  put(
    word.service,
    fc.tuple(name, specs).map(([one, spec]) => [one, service(one, spec)] as const),
  ),
  remove("Service", word.service),
  put(
    word.slices,
    fc.tuple(name, pods).map(
      ([of, numbers]) =>
        [
          of,
          slice(
            numbers.map((number) => pod(number)),
            { name: `${of}-1`, of },
          ),
        ] as const,
    ),
  ),
  put(
    word.secret,
    fc.constantFrom(...certificates).map((one) => [one.metadata.name ?? "", one] as const),
  ),
  remove("Secret", word.secret),
  fc.constantFrom("fairlead.dev/ingress", "somebody.else").map((controller): Step => (cluster) => {
    cluster.put(ingressClass("other", controller));
    return word.class("other");
  }),
);

/** In an order of its own, as maps of either have theirs. */
const sorted = <V>(map: ReadonlyMap<string, V>): [string, V][] =>
  [...map].sort(([one], [other]) => (one < other ? -1 : 1));
const shown = ({ plan, faults, ours, remarks }: Planned) => ({
  hosts: sorted(plan.hosts),
  backends: sorted(plan.backends),
  certificates: sorted(plan.certificates),
  faults: sorted(faults).map(([key, all]) => [
    key,
    [...all].sort((one, other) => (one.message + one.field < other.message + other.field ? -1 : 1)),
  ]),
  ours: sorted(ours),
  remarks,
});

const spareCertificate: Certificate = { secret: "", chain: "chain", key: "key" };

test("CTL-153: after any changes the plan is what it would be from the beginning, and nothing that is the same is new", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(steps, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 12 }),
      fc.constantFrom(undefined, "default/three"),
      (rounds, defaultBackend) => {
        const cluster = new Cluster();
        const given = options({
          spareCertificate,
          defaultBackend,
          defaultCertificate: defaultBackend === undefined ? undefined : "default/two",
        });
        const planner = createPlanner(given);
        let was = planner.plan(cluster, "everything");
        for (const round of rounds) {
          const next = planner.plan(
            cluster,
            round.map((step) => step(cluster)),
          );
          deepEqual(shown(next), shown(planOf(cluster, given)));
          for (const part of ["hosts", "backends", "certificates"] as const) {
            for (const [key, value] of next.plan[part]) {
              const before = was.plan[part].get(key);
              if (before === value) continue;
              equal(isDeepStrictEqual(before, value), false, `${part} ${key} is new and says the same`);
            }
          }
          was = next;
        }
      },
    ),
    { numRuns: 500 },
  );
});
