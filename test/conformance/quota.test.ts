import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../lab/until.ts";
import { isFairlead, startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

const causesOf = ({ body }: Answered): string[] =>
  (body.details?.causes ?? []).map(
    ({ reason, field, message }: Record<string, string>) => `${reason} ${field}: ${message}`,
  );
let made = 0;
/** A namespace of its own, where no other test's quota counts. */
const newNamespace = async (): Promise<string> => {
  const name = `n${(made += 1)}`;
  assert.equal((await subject.ask("POST", "/api/v1/namespaces", { metadata: { name } })).code, 201);
  return name;
};
const rootOf = (namespace: string): string => `/api/v1/namespaces/${namespace}`;
const quotasOf = (namespace: string): string => `${rootOf(namespace)}/resourcequotas`;
const createQuota = (namespace: string, spec: object, name = "q"): Promise<Answered> =>
  subject.ask("POST", quotasOf(namespace), { metadata: { name }, spec });
const invalid = (field: string, value: unknown, why: string): string =>
  `FieldValueInvalid ${field}: Invalid value: ${JSON.stringify(value)}: ${why}`;
const QUALIFIED =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const STANDARD = "must be a standard resource type or fully qualified";
const FOR_QUOTA = "must be a standard resource for quota";
const WHOLE = "must be an integer";
const NOT_NEGATIVE = "must be greater than or equal to 0";

const hard = (amounts: object) => ({ hard: amounts });
const at = (name: string): string => `spec.hard[${name}]`;
const selector = (...expressions: object[]) => ({ scopeSelector: { matchExpressions: expressions } });
const SELECTOR = "spec.scopeSelector.matchExpressions";
const cases: [what: string, spec: object, faults: string[]][] = [
  ["nothing", {}, []],
  [
    "all names that quotas know",
    hard({
      cpu: "1",
      memory: "1Gi",
      "ephemeral-storage": "1Gi",
      "requests.cpu": "1",
      "requests.memory": "1Gi",
      "requests.storage": "1Gi",
      "requests.ephemeral-storage": "1Gi",
      "limits.cpu": "1",
      "limits.memory": "1Gi",
      "limits.ephemeral-storage": "1Gi",
      pods: "1",
      resourcequotas: "1",
      services: "1",
      replicationcontrollers: "1",
      secrets: "1",
      persistentvolumeclaims: "1",
      configmaps: "1",
      "services.nodeports": "1",
      "services.loadbalancers": "1",
      "hugepages-2Mi": "1Gi",
      "requests.hugepages-2Mi": "1Gi",
      "count/services": "1",
      "count/ingresses.networking.k8s.io": "1",
      "count/anything.example.com": "1",
      "requests.example.com/gpu": "1",
      "example.com/gpu": "1",
      "gold.storageclass.storage.k8s.io/requests.storage": "1",
    }),
    [],
  ],
  ["a number", hard({ services: 3 }), []],
  ["zero", hard({ services: "0" }), []],
  [
    "a name that is none",
    hard({ "a b": "1" }),
    [invalid(at("a b"), "a b", QUALIFIED), invalid(at("a b"), "a b", FOR_QUOTA)],
  ],
  [
    "a name with two slashes",
    hard({ "a/b/c": "1" }),
    [
      invalid(
        at("a/b/c"),
        "a/b/c",
        `a valid label key ${QUALIFIED.replace("name part ", "")} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
      ),
    ],
  ],
  [
    "an unknown name",
    hard({ things: "1" }),
    [invalid(at("things"), "things", STANDARD), invalid(at("things"), "things", FOR_QUOTA)],
  ],
  ["a name that is not for quotas", hard({ storage: "1" }), [invalid(at("storage"), "storage", FOR_QUOTA)]],
  ["a negative amount", hard({ services: "-1" }), [invalid(at("services"), "-1", NOT_NEGATIVE)]],
  ["half a thing", hard({ services: "1500m" }), [invalid(at("services"), "1500m", WHOLE)]],
  [
    "half a thing, counted the new way",
    hard({ "count/services": "0.5" }),
    [invalid(at("count/services"), "500m", WHOLE)],
  ],
  ["half a device", hard({ "example.com/gpu": "0.5" }), [invalid(at("example.com/gpu"), "500m", WHOLE)]],
  ["half a requested device", hard({ "requests.example.com/gpu": "0.5" }), []],
  ["half of what may be halved", hard({ cpu: "500m", "requests.memory": "0.5" }), []],
  ["scopes", { ...hard({ pods: "1" }), scopes: ["BestEffort", "NotTerminating"] }, []],
  [
    "an unknown scope",
    { ...hard({ pods: "1" }), scopes: ["World"] },
    [invalid("spec.scopes", ["World"], "unsupported scope")],
  ],
  [
    "a scope about another resource",
    { ...hard({ services: "1", "count/services": "1", cpu: "1" }), scopes: ["BestEffort"] },
    [
      invalid("spec.scopes", ["BestEffort"], "unsupported scope applied to resource"),
      invalid("spec.scopes", ["BestEffort"], "unsupported scope applied to resource"),
    ],
  ],
  [
    "conflicting scopes",
    { ...hard({ pods: "1" }), scopes: ["BestEffort", "NotBestEffort", "Terminating", "NotTerminating"] },
    [
      invalid("spec.scopes", ["BestEffort", "NotBestEffort", "Terminating", "NotTerminating"], "conflicting scopes"),
      invalid("spec.scopes", ["BestEffort", "NotBestEffort", "Terminating", "NotTerminating"], "conflicting scopes"),
    ],
  ],
  [
    "a scope selector",
    { ...hard({ pods: "1" }), ...selector({ scopeName: "PriorityClass", operator: "In", values: ["high"] }) },
    [],
  ],
  [
    "a scope selector of an unknown scope",
    { ...hard({ pods: "1" }), ...selector({ scopeName: "World", operator: "Exists" }) },
    [invalid(`${SELECTOR}.scopeName`, "World", "unsupported scope")],
  ],
  [
    "a scope selector about another resource",
    { ...hard({ services: "1" }), ...selector({ scopeName: "PriorityClass", operator: "Exists" }) },
    [
      invalid(
        SELECTOR,
        { MatchExpressions: [{ ScopeName: "PriorityClass", Operator: "Exists", Values: null }] },
        "unsupported scope applied to resource",
      ),
    ],
  ],
  [
    "operators that do not fit",
    {
      ...hard({ pods: "1" }),
      ...selector(
        { scopeName: "BestEffort", operator: "In", values: ["a"] },
        { scopeName: "PriorityClass", operator: "In" },
        { scopeName: "PriorityClass", operator: "DoesNotExist", values: ["a"] },
        { scopeName: "PriorityClass", operator: "Like" },
      ),
    },
    [
      invalid(
        `${SELECTOR}.operator`,
        "In",
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
      ),
      `FieldValueRequired ${SELECTOR}.values: Required value: must be at least one value when \`operator\` is 'In' or 'NotIn' for scope selector`,
      invalid(
        `${SELECTOR}.values`,
        ["a"],
        "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
      ),
      invalid(`${SELECTOR}.operator`, "Like", "not a valid selector operator"),
    ],
  ],
  [
    "conflicting scopes in a selector",
    {
      ...hard({ pods: "1" }),
      ...selector({ scopeName: "BestEffort", operator: "Exists" }, { scopeName: "NotBestEffort", operator: "Exists" }),
    },
    [invalid(SELECTOR, null, "conflicting scopes")],
  ],
];
for (const [index, [what, spec, faults]] of cases.entries()) {
  void test(`a quota of ${what}: ${faults.length === 0 ? "no fault" : "its faults"}`, async () => {
    // Not stored: a quota may be for quotas too.
    const object = { metadata: { name: `case${index}` }, spec };
    const answered = await subject.ask("POST", `${quotasOf("default")}?dryRun=All`, object);
    // Upstream tells the faults of several names in any order.
    assert.deepEqual(causesOf(answered).sort(), faults.toSorted(), answered.text);
    assert.equal(answered.code, faults.length === 0 ? 201 : 422);
  });
}

void test("what is no quantity is refused as it is decoded", async () => {
  for (const amount of ["many", "1KiB", "", true]) {
    const answered = await createQuota("default", hard({ services: amount }), "no-quantity");
    assert.deepEqual([answered.code, answered.body.reason], [400, "BadRequest"], String(amount));
  }
});

void test("amounts are stored in their canonical form", async () => {
  const { body } = await createQuota(
    await newNamespace(),
    hard({
      services: "1000",
      configmaps: "1000m",
      cpu: "0.5",
      memory: "1024Mi",
      "requests.memory": "1.5Gi",
      pods: "1e3",
      secrets: 2,
    }),
    "canonical",
  );
  assert.deepEqual(body.spec.hard, {
    services: "1k",
    configmaps: "1",
    cpu: "500m",
    memory: "1Gi",
    "requests.memory": "1536Mi",
    pods: "1e3",
    secrets: "2",
  });
});

void test("more requests than limits are warned of on create", async () => {
  const spec = hard({ "requests.cpu": "2", "limits.cpu": "1500m", memory: "2Gi", "limits.memory": "1Gi", pods: "1" });
  const namespace = await newNamespace();
  const answered = await createQuota(namespace, spec, "warned");
  assert.equal(answered.code, 201, answered.text);
  assert.equal(
    answered.headers["warning"],
    [
      `299 - "ResourceQuota requests.cpu (2) should be less than limits.cpu (1500m)"`,
      `299 - "ResourceQuota memory (2Gi) should be less than limits.memory (1Gi)"`,
    ].join(", "),
  );
  const updated = await subject.ask("PUT", `${quotasOf(namespace)}/warned`, {
    ...answered.body,
    metadata: { ...answered.body.metadata, labels: { a: "b" } },
  });
  assert.deepEqual([updated.code, updated.headers["warning"]], [200, undefined]);
});

void test("ResourceQuota is v1, in a namespace, `quota` for short, with a status", async () => {
  const { body } = await subject.ask("GET", "/api/v1");
  const found = body.resources.filter(({ name }: { name: string }) => name.startsWith("resourcequotas"));
  assert.deepEqual(
    found.map(({ name, kind, namespaced, singularName, shortNames, categories, verbs }: Record<string, unknown>) => ({
      name,
      kind,
      namespaced,
      singularName,
      shortNames,
      categories,
      verbs,
    })),
    [
      {
        name: "resourcequotas",
        kind: "ResourceQuota",
        namespaced: true,
        singularName: "resourcequota",
        shortNames: ["quota"],
        categories: undefined,
        verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
      },
      {
        name: "resourcequotas/status",
        kind: "ResourceQuota",
        namespaced: true,
        singularName: "",
        shortNames: undefined,
        categories: undefined,
        verbs: ["get", "patch", "update"],
      },
    ],
  );
});

void test("the status is written through /status alone, and the spec is not; scopes stay", async () => {
  const namespace = await newNamespace();
  const status = { hard: { services: "9" }, used: { services: "9" } };
  const { body: first } = await subject.ask("POST", quotasOf(namespace), {
    metadata: { name: "q" },
    spec: { hard: { pods: "3" }, scopes: ["BestEffort"] },
    status,
  });
  assert.deepEqual([first.status, first.metadata.generation], [{}, undefined]);
  const put = (object: unknown, query = "") => subject.ask("PUT", `${quotasOf(namespace)}/q${query}`, object);
  const updated = await put({ ...first, spec: { ...first.spec, hard: { pods: "4" } }, status });
  assert.deepEqual([updated.code, updated.body.status, updated.body.spec.hard], [200, {}, { pods: "4" }]);
  const byStatus = await put({ ...updated.body, spec: { hard: { pods: "5" } }, status }, "/status");
  assert.deepEqual([byStatus.code, byStatus.body.status, byStatus.body.spec], [200, status, updated.body.spec]);
  const scoped = await put({ ...byStatus.body, spec: { ...first.spec, scopes: ["NotBestEffort"] } });
  assert.deepEqual(
    [scoped.code, causesOf(scoped)],
    [422, [invalid("spec.scopes", ["NotBestEffort"], "field is immutable")]],
  );
  const bad = await put({ ...byStatus.body, status: { hard: { things: "1" }, used: { services: "-1" } } }, "/status");
  assert.deepEqual(causesOf(bad), [
    invalid("status.hard[things]", "things", STANDARD),
    invalid("status.hard[things]", "things", FOR_QUOTA),
    invalid("status.used[services]", "-1", NOT_NEGATIVE),
  ]);
});

void test("PUT creates no ResourceQuota, and DELETE answers with it", async () => {
  const namespace = await newNamespace();
  const put = await subject.ask("PUT", `${quotasOf(namespace)}/nothing`, { metadata: { name: "nothing" } });
  assert.deepEqual([put.code, put.body.reason], [404, "NotFound"]);
  await createQuota(namespace, {}, "goes");
  const gone = await subject.ask("DELETE", `${quotasOf(namespace)}/goes`);
  assert.deepEqual([gone.code, gone.body.kind, gone.body.metadata.name], [200, "ResourceQuota", "goes"]);
});

void test("quotas are selected by the fields metadata.name and metadata.namespace", async () => {
  const namespace = await newNamespace();
  await createQuota(namespace, {}, "chosen");
  await createQuota(namespace, {}, "another");
  const selector = `metadata.name%3Dchosen,metadata.namespace%3D${namespace}`;
  const found = await subject.ask("GET", `${quotasOf(namespace)}?fieldSelector=${selector}`);
  assert.deepEqual(
    found.body.items.map((item: { metadata: { name: string } }) => item.metadata.name),
    ["chosen"],
  );
  assert.equal((await subject.ask("GET", `${quotasOf(namespace)}?fieldSelector=spec.scopes%3Da`)).code, 400);
});

void test("the row of a ResourceQuota", async () => {
  const namespace = await newNamespace();
  const { body } = await createQuota(namespace, hard({ services: "3" }));
  const status = {
    hard: { services: "3", "limits.cpu": "2", "requests.cpu": "1", "limits.memory": "1Gi", "count/services": "5" },
    used: { services: "1", "limits.cpu": "500m", "requests.cpu": "0" },
  };
  const table = { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } };
  assert.equal((await subject.ask("PUT", `${quotasOf(namespace)}/q/status`, { ...body, status })).code, 200);
  const { body: shown } = await subject.ask("GET", `${quotasOf(namespace)}/q`, undefined, table);
  assert.deepEqual(
    shown.columnDefinitions.map(({ name, priority }: { name: string; priority: number }) => [name, priority]),
    [
      ["Name", 0],
      ["Request", 0],
      ["Limit", 0],
      ["Age", 0],
    ],
  );
  assert.deepEqual(shown.rows[0].cells.slice(0, 3), [
    "q",
    "count/services: 0/5, requests.cpu: 0/1, services: 1/3",
    "limits.cpu: 500m/2, limits.memory: 0/1Gi",
  ]);
  assert.match(shown.rows[0].cells[3], /^\d+[sm]/);
});

type Amounts = Record<string, number>;
const texts = (amounts: Amounts): Record<string, string> =>
  Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, String(amount)]));
/** A quota whose status says how much is used, as a controller would have written it; resolves when the server minds it. */
async function limited(
  amounts: Amounts,
  used: Amounts,
  more: { name?: string; namespace?: string; scopes?: string[] } = {},
): Promise<string> {
  const { name = "q", namespace = await newNamespace(), scopes } = more;
  const spec = { hard: texts(amounts), ...(scopes && { scopes }) };
  const { body, text } = await createQuota(namespace, spec, name);
  assert.equal(body.kind, "ResourceQuota", text);
  const status = { hard: spec.hard, used: texts(used) };
  const written = await subject.ask("PUT", `${quotasOf(namespace)}/${name}/status`, { ...body, status });
  assert.equal(written.code, 200, written.text);
  return namespace;
}
const usedOf = async (namespace: string, name = "q"): Promise<Record<string, string>> =>
  (await subject.ask("GET", `${quotasOf(namespace)}/${name}`)).body.status.used;
/** Upstream's admission reads quotas from a cache that follows a moment later: asked by dry runs until it refuses. */
const untilRefused = (namespace: string, collection: string, object: object): Promise<Answered> =>
  until(`a create in ${collection} of ${namespace} to be refused`, async () => {
    const answered = await subject.ask("POST", `${collection}?dryRun=All`, object);
    return answered.code === 201 ? undefined : answered;
  });
const assertExceeded = (answered: Answered, what: string, words: string): void => {
  assert.equal(answered.code, 403, answered.text);
  assert.equal(answered.body.reason, "Forbidden");
  assert.equal(answered.body.message, `${what} is forbidden: exceeded quota: ${words}`);
};

const pod = { spec: { containers: [{ name: "c", image: "i" }] } };
const resources: [names: string[], path: (namespace: string) => string, object: object][] = [
  [["services", "count/services"], (n) => `${rootOf(n)}/services`, { spec: { ports: [{ port: 80 }] } }],
  [["count/endpoints"], (n) => `${rootOf(n)}/endpoints`, {}],
  [
    ["count/endpointslices.discovery.k8s.io"],
    (n) => `/apis/discovery.k8s.io/v1/namespaces/${n}/endpointslices`,
    { addressType: "IPv4", endpoints: [] },
  ],
  [
    ["count/ingresses.networking.k8s.io"],
    (n) => `/apis/networking.k8s.io/v1/namespaces/${n}/ingresses`,
    { spec: { rules: [{ host: "a.example" }] } },
  ],
  [["configmaps", "count/configmaps"], (n) => `${rootOf(n)}/configmaps`, {}],
  [["secrets", "count/secrets"], (n) => `${rootOf(n)}/secrets`, {}],
  [["pods", "count/pods"], (n) => `${rootOf(n)}/pods`, pod],
  [["count/serviceaccounts"], (n) => `${rootOf(n)}/serviceaccounts`, {}],
  [["resourcequotas", "count/resourcequotas"], quotasOf, { spec: {} }],
  [["count/leases.coordination.k8s.io"], (n) => `/apis/coordination.k8s.io/v1/namespaces/${n}/leases`, {}],
];
for (const [names, path, object] of resources) {
  for (const name of names) {
    void test(`SVC-305: ${name} counts what is created, up to the limit`, async () => {
      const namespace = await limited({ [name]: 2 }, { [name]: 1 });
      const collection = path(namespace);
      const named = (given: string) => ({ metadata: { name: given }, ...object });
      const [, group = ""] = /^count\/\w+\.?(.*)$/.exec(name) ?? [];
      const plural = collection.split("/").at(-1)!;
      await untilUsed(namespace, collection, named, name);
      const refused = await subject.ask("POST", collection, named("b"));
      const what = `${group === "" ? plural : `${plural}.${group}`} "b"`;
      assertExceeded(refused, what, `q, requested: ${name}=1, used: ${name}=2, limited: ${name}=2`);
      assert.deepEqual(refused.body.details, { name: "b", ...(group === "" ? {} : { group }), kind: plural });
      assert.deepEqual(await usedOf(namespace), { [name]: "2" });
      assert.equal((await subject.ask("GET", `${collection}/b`)).code, 404);
    });
  }
}

/** Creates `a` so that the quota's one free place is taken; where the server did not mind the quota yet, it is created anew. */
async function untilUsed(
  namespace: string,
  collection: string,
  named: (name: string) => object,
  name: string,
): Promise<void> {
  await until(`${name} to be used`, async () => {
    const created = await subject.ask("POST", collection, named("a"));
    assert.equal(created.code, 201, created.text);
    if ((await usedOf(namespace))[name] === "2") return true;
    assert.equal(isFairlead, false, "the quota is minded at once");
    await subject.ask("DELETE", `${collection}/a?gracePeriodSeconds=0`);
    return false;
  });
}

void test("events are not counted", async () => {
  const namespace = await limited({ "count/events": 0, secrets: 0 }, { "count/events": 0, secrets: 0 });
  await untilRefused(namespace, `${rootOf(namespace)}/secrets`, { metadata: { name: "s" } });
  const event = { metadata: { name: "e", namespace }, involvedObject: { namespace, kind: "Pod", name: "p" } };
  assert.equal((await subject.ask("POST", `${rootOf(namespace)}/events`, event)).code, 201);
});

const ports = (count: number, nodePorts: number[] = []) =>
  Array.from({ length: count }, (_, index) => ({
    name: `p${index}`,
    port: index + 1,
    ...(nodePorts[index] === undefined ? {} : { nodePort: nodePorts[index] }),
  }));
const ALL = ["count/services", "services", "services.loadbalancers", "services.nodeports"];
const counted: [what: string, spec: object, nodePorts: number, loadBalancers: number][] = [
  ["a ClusterIP Service", { ports: ports(2) }, 0, 0],
  ["a headless Service", { clusterIP: "None", ports: ports(2) }, 0, 0],
  ["an alias", { type: "ExternalName", externalName: "a.example", ports: ports(2) }, 0, 0],
  ["a NodePort Service", { type: "NodePort", ports: ports(3) }, 3, 0],
  ["a LoadBalancer Service", { type: "LoadBalancer", ports: ports(2) }, 2, 1],
  [
    "a LoadBalancer Service with node ports allowed",
    { type: "LoadBalancer", allocateLoadBalancerNodePorts: true, ports: ports(2) },
    2,
    1,
  ],
  [
    "a LoadBalancer Service without node ports",
    { type: "LoadBalancer", allocateLoadBalancerNodePorts: false, ports: ports(2) },
    0,
    1,
  ],
  [
    "a LoadBalancer Service with one node port said",
    { type: "LoadBalancer", allocateLoadBalancerNodePorts: false, ports: ports(2, [32001]) },
    1,
    1,
  ],
  [
    "a LoadBalancer Service with a health check",
    { type: "LoadBalancer", externalTrafficPolicy: "Local", ports: ports(1) },
    1,
    1,
  ],
];
for (const [what, spec, nodePorts, loadBalancers] of counted) {
  void test(`SVC-306: ${what} counts ${nodePorts} node ports and ${loadBalancers} load balancers`, async () => {
    const namespace = await newNamespace();
    const services = `${rootOf(namespace)}/services`;
    const amounts = Object.fromEntries(ALL.map((name) => [name, 9]));
    await limited(amounts, Object.fromEntries(ALL.map((name) => [name, 0])), { namespace });
    const used = await until("the quota to be minded", async () => {
      const created = await subject.ask("POST", services, { metadata: { name: "web" }, spec });
      assert.equal(created.code, 201, created.text);
      const now = await usedOf(namespace);
      if (now["services"] === "1") return now;
      await subject.ask("DELETE", `${services}/web`);
      return undefined;
    });
    assert.deepEqual(used, {
      "count/services": "1",
      services: "1",
      "services.loadbalancers": String(loadBalancers),
      "services.nodeports": String(nodePorts),
    });
  });
}

void test("SVC-305, SVC-306: all that a quota does not allow is told at once", async () => {
  const namespace = await limited(
    { services: 5, "services.nodeports": 4, "services.loadbalancers": 1 },
    { services: 2, "services.nodeports": 3, "services.loadbalancers": 1 },
  );
  const refused = await untilRefused(namespace, `${rootOf(namespace)}/services`, {
    metadata: { name: "web" },
    spec: { type: "LoadBalancer", ports: ports(2) },
  });
  assertExceeded(
    refused,
    'services "web"',
    "q, requested: services.loadbalancers=1,services.nodeports=2, used: services.loadbalancers=1,services.nodeports=3, limited: services.loadbalancers=1,services.nodeports=4",
  );
});

void test("SVC-305: every quota of a namespace must allow it, and those of others do not matter", async () => {
  const namespace = await limited({ services: 5 }, { services: 0 }, { name: "wide" });
  await limited({ services: 1 }, { services: 1 }, { name: "narrow", namespace });
  const object = { metadata: { name: "web" }, spec: { ports: ports(1) } };
  const refused = await untilRefused(namespace, `${rootOf(namespace)}/services`, object);
  assertExceeded(refused, 'services "web"', "narrow, requested: services=1, used: services=1, limited: services=1");
  assert.deepEqual(
    [await usedOf(namespace, "wide"), await usedOf(namespace, "narrow")],
    [{ services: "0" }, { services: "1" }],
  );
  const other = await newNamespace();
  assert.equal((await subject.ask("POST", `${rootOf(other)}/services`, object)).code, 201);
});

void test("SVC-305: what is not valid is told its faults; a name that is taken, that there is no room", async () => {
  const namespace = await newNamespace();
  const services = `${rootOf(namespace)}/services`;
  const object = { metadata: { name: "there" }, spec: { ports: ports(1) } };
  assert.equal((await subject.ask("POST", services, object)).code, 201);
  await limited({ services: 1 }, { services: 1 }, { namespace });
  await untilRefused(namespace, services, { ...object, metadata: { name: "more" } });
  const wrong = await subject.ask("POST", services, { metadata: { name: "wrong" }, spec: {} });
  assert.deepEqual([wrong.code, wrong.body.reason], [422, "Invalid"]);
  const again = await subject.ask("POST", services, object);
  assert.deepEqual([again.code, again.body.reason], [403, "Forbidden"]);
});

void test("SVC-305: what a quota leaves room for a dry run may have, and takes nothing of it", async () => {
  const namespace = await limited({ services: 1, secrets: 0 }, { services: 0, secrets: 0 });
  await untilRefused(namespace, `${rootOf(namespace)}/secrets`, { metadata: { name: "s" } });
  const services = `${rootOf(namespace)}/services?dryRun=All`;
  for (const name of ["a", "b", "c"]) {
    assert.equal((await subject.ask("POST", services, { metadata: { name }, spec: { ports: ports(1) } })).code, 201);
  }
  assert.deepEqual(await usedOf(namespace), { services: "0", secrets: "0" });
});

void test("SVC-307: a change of type takes what it needs, or is refused", async () => {
  const namespace = await newNamespace();
  const services = `${rootOf(namespace)}/services`;
  const { body } = await subject.ask("POST", services, { metadata: { name: "web" }, spec: { ports: ports(2) } });
  const amounts = { services: 1, "services.nodeports": 3, "services.loadbalancers": 0 };
  await limited(amounts, { services: 1, "services.nodeports": 0, "services.loadbalancers": 0 }, { namespace });
  await untilRefused(namespace, services, { metadata: { name: "more" }, spec: { ports: ports(1) } });
  const change = (object: { spec: object }, spec: object, query = "") =>
    subject.ask("PUT", `${services}/web${query}`, { ...object, spec: { ...object.spec, ...spec } });

  const balanced = await change(body, { type: "LoadBalancer" });
  assertExceeded(
    balanced,
    'services "web"',
    "q, requested: services.loadbalancers=1, used: services.loadbalancers=0, limited: services.loadbalancers=0",
  );
  const dry = await change(body, { type: "NodePort" }, "?dryRun=All");
  assert.equal(dry.code, 200, dry.text);
  assert.deepEqual(await usedOf(namespace), texts({ ...amounts, "services.nodeports": 0 }));
  const byNode = await change(body, { type: "NodePort" });
  assert.equal(byNode.code, 200, byNode.text);
  assert.deepEqual(await usedOf(namespace), texts({ ...amounts, "services.nodeports": 2 }));
  const more = await change(byNode.body, { ports: ports(4) });
  assertExceeded(
    more,
    'services "web"',
    "q, requested: services.nodeports=2, used: services.nodeports=2, limited: services.nodeports=3",
  );
  const one = await change(byNode.body, { ports: ports(3) });
  assert.equal(one.code, 200, one.text);
  assert.deepEqual(await usedOf(namespace), texts(amounts));
});

void test("SVC-307: what changes nothing that is counted is not asked, however little room is left", async () => {
  const namespace = await newNamespace();
  const services = `${rootOf(namespace)}/services`;
  const { body } = await subject.ask("POST", services, {
    metadata: { name: "web" },
    spec: { type: "NodePort", ports: ports(1) },
  });
  await limited({ services: 0, "services.nodeports": 0 }, { services: 1, "services.nodeports": 1 }, { namespace });
  await untilRefused(namespace, services, { metadata: { name: "more" }, spec: { ports: ports(1) } });
  const labelled = await subject.ask("PUT", `${services}/web`, {
    ...body,
    metadata: { ...body.metadata, labels: { a: "b" } },
  });
  assert.equal(labelled.code, 200, labelled.text);
  const less = await subject.ask("PUT", `${services}/web`, {
    ...labelled.body,
    spec: { ...labelled.body.spec, type: "ClusterIP", ports: ports(1) },
  });
  assert.equal(less.code, 200, less.text);
});

void test(
  "SVC-307: what a change or a deletion frees is free at once",
  { skip: isFairlead ? false : "upstream frees it by a controller, a moment later" },
  async () => {
    const namespace = await limited({ services: 2, "services.nodeports": 2 }, { services: 0, "services.nodeports": 0 });
    const services = `${rootOf(namespace)}/services`;
    const { body } = await subject.ask("POST", services, {
      metadata: { name: "web" },
      spec: { type: "NodePort", ports: ports(2) },
    });
    assert.deepEqual(await usedOf(namespace), { services: "1", "services.nodeports": "2" });
    const changed = await subject.ask("PUT", `${services}/web`, {
      ...body,
      spec: { ...body.spec, type: "ClusterIP", ports: ports(2) },
    });
    assert.equal(changed.code, 200, changed.text);
    assert.deepEqual(await usedOf(namespace), { services: "1", "services.nodeports": "0" });
    await subject.ask("DELETE", `${services}/web`);
    assert.deepEqual(await usedOf(namespace), { services: "0", "services.nodeports": "0" });
  },
);

void test(
  "SVC-305: upstream refuses what a quota limits while nobody has counted",
  { skip: isFairlead ? "Fairlead counts by itself" : false },
  async () => {
    const namespace = await limited({ services: 2 }, {});
    const refused = await untilRefused(namespace, `${rootOf(namespace)}/services`, {
      metadata: { name: "web" },
      spec: { ports: ports(1) },
    });
    assert.equal(refused.body.message, 'services "web" is forbidden: status unknown for quota: q, resources: services');
  },
);

void test(
  "SVC-305: Fairlead minds a quota from its first moment, and counts what is there",
  { skip: isFairlead ? false : "upstream minds it when a controller has counted" },
  async () => {
    const namespace = await newNamespace();
    const services = `${rootOf(namespace)}/services`;
    const create = (name: string) => subject.ask("POST", services, { metadata: { name }, spec: { ports: ports(1) } });
    assert.equal((await create("before")).code, 201);
    await createQuota(namespace, hard({ services: "2", pods: "1" }));
    assert.equal((await create("fits")).code, 201);
    const { body } = await subject.ask("GET", `${quotasOf(namespace)}/q`);
    assert.deepEqual(body.status, { hard: { services: "2" }, used: { services: "2" } });
    assertExceeded(
      await create("no"),
      'services "no"',
      "q, requested: services=1, used: services=2, limited: services=2",
    );
  },
);

const scopes: [scope: string, spec: object, isIn: boolean][] = [
  ["BestEffort", {}, true],
  ["BestEffort", { containers: [{ name: "c", image: "i", resources: { requests: { cpu: "1" } } }] }, false],
  ["NotBestEffort", {}, false],
  ["NotBestEffort", { containers: [{ name: "c", image: "i", resources: { limits: { memory: "1Mi" } } }] }, true],
  ["Terminating", {}, false],
  ["Terminating", { activeDeadlineSeconds: 60 }, true],
  ["NotTerminating", { activeDeadlineSeconds: 60 }, false],
  ["NotTerminating", {}, true],
  ["PriorityClass", {}, false],
  ["PriorityClass", { priorityClassName: "system-cluster-critical" }, true],
  ["CrossNamespacePodAffinity", {}, false],
  [
    "CrossNamespacePodAffinity",
    {
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "k", labelSelector: {}, namespaces: ["a"] }],
        },
      },
    },
    true,
  ],
];
for (const [scope, more, isIn] of scopes) {
  void test(`within ${scope}, a pod with ${JSON.stringify(more)} ${isIn ? "counts" : "does not count"}`, async () => {
    const namespace = await limited({ pods: 0 }, { pods: 0 }, { scopes: [scope] });
    await limited({ secrets: 0 }, { secrets: 0 }, { name: "z", namespace });
    await untilRefused(namespace, `${rootOf(namespace)}/secrets`, { metadata: { name: "s" } });
    const answered = await subject.ask("POST", `${rootOf(namespace)}/pods?dryRun=All`, {
      metadata: { name: "p" },
      spec: { ...pod.spec, ...more },
    });
    assert.equal(answered.code, isIn ? 403 : 201, answered.text);
    if (isIn) assertExceeded(answered, 'pods "p"', "q, requested: pods=1, used: pods=0, limited: pods=0");
  });
}

const resourced = (requests: object, limits: object = {}) => ({
  name: "c",
  image: "i",
  resources: { requests, limits },
});
void test("what pods ask of the machines is counted, with all that runs at once", async () => {
  const names = [
    "cpu",
    "requests.cpu",
    "limits.cpu",
    "memory",
    "limits.memory",
    "requests.ephemeral-storage",
    "requests.example.com/gpu",
    "pods",
  ];
  const namespace = await newNamespace();
  const amounts = {
    ...Object.fromEntries(names.map((name) => [name, 1000])),
    memory: 1e12,
    "limits.memory": 1e12,
    "requests.ephemeral-storage": 1e12,
  };
  await limited(amounts, Object.fromEntries(names.map((name) => [name, 0])), { namespace });
  const object = {
    metadata: { name: "p" },
    spec: {
      containers: [
        resourced(
          { cpu: "250m", memory: "64Mi", "ephemeral-storage": "1Gi" },
          { cpu: "1", memory: "1Gi", "example.com/gpu": "1" },
        ),
        { ...resourced({ cpu: "1500m", memory: "64Mi" }, { cpu: "2", memory: "1Gi" }), name: "d" },
      ],
      initContainers: [
        {
          ...resourced({ cpu: "100m", memory: "1Mi" }, { cpu: "100m", memory: "1Mi" }),
          name: "sidecar",
          restartPolicy: "Always",
        },
        { ...resourced({ cpu: "3", memory: "1Mi" }, { cpu: "3", memory: "1Mi" }), name: "init" },
      ],
    },
  };
  const used = await until("the quota to be minded", async () => {
    const created = await subject.ask("POST", `${rootOf(namespace)}/pods`, object);
    assert.equal(created.code, 201, created.text);
    const now = await usedOf(namespace);
    if (now["pods"] === "1") return now;
    await subject.ask("DELETE", `${rootOf(namespace)}/pods/p?gracePeriodSeconds=0`);
    return undefined;
  });
  assert.deepEqual(used, {
    cpu: "3100m",
    "requests.cpu": "3100m",
    "limits.cpu": "3100m",
    memory: "129Mi",
    "limits.memory": "2049Mi",
    "requests.ephemeral-storage": "1Gi",
    "requests.example.com/gpu": "1",
    pods: "1",
  });
});

void test("where pods' cpu and memory are limited, each container must say what it asks", async () => {
  const namespace = await limited(
    { "requests.cpu": 9, "limits.memory": 9, secrets: 0 },
    { "requests.cpu": 0, "limits.memory": 0, secrets: 0 },
  );
  await untilRefused(namespace, `${rootOf(namespace)}/secrets`, { metadata: { name: "s" } });
  const containers = [
    { name: "b", image: "i" },
    { ...resourced({ cpu: "1" }), name: "a" },
  ];
  const refused = await subject.ask("POST", `${rootOf(namespace)}/pods`, {
    metadata: { name: "p" },
    spec: { containers },
  });
  assert.equal(refused.code, 403);
  assert.equal(
    refused.body.message,
    'pods "p" is forbidden: failed quota: q: must specify limits.memory for: a,b; requests.cpu for: b',
  );
});
