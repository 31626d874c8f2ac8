import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { discoveryFacts, GROUPS, openApiFacts } from "./documents.ts";
import { isFairlead, startSubject, type Subject } from "./subject.ts";

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

type Facts = Record<string, Record<string, unknown>>;
const fixture = (name: string): Record<string, Facts> =>
  JSON.parse(readFileSync(new URL(`./fixtures/${name}.json`, import.meta.url), "utf8")) as Record<string, Facts>;
const openApi = fixture("openapi");
const discovery = fixture("discovery");

/** Groups that this server has: all of them, on the real one. */
async function served(): Promise<string[]> {
  const { body } = await subject.ask("GET", "/openapi/v3");
  return GROUPS.filter((path) => path in body.paths);
}

void test("OpenAPI 3: every type of every kind has the fields, types, defaults, enums and references that Kubernetes' has", async () => {
  const paths = await served();
  assert.ok(paths.includes("api/v1") && paths.includes("apis/networking.k8s.io/v1"));
  if (!isFairlead) assert.deepEqual(paths, GROUPS);
  for (const path of paths) {
    const { body } = await subject.ask("GET", `/openapi/v3/${path}`);
    const facts = openApiFacts(body);
    assert.ok(Object.keys(facts).length > 0, path);
    if (!isFairlead) assert.deepEqual(Object.keys(facts), Object.keys(openApi[path]!));
    for (const [name, found] of Object.entries(facts))
      assert.deepEqual(found, openApi[path]![name], `${path}: ${name}`);
    // What is listed is described.
    const { resources } = (await subject.ask("GET", `/${path}`)).body as {
      resources: { kind: string; name: string }[];
    };
    const described = new Set(
      Object.values(facts).flatMap(({ kinds }) => ((kinds ?? []) as { kind: string }[]).map(({ kind }) => kind)),
    );
    if (isFairlead) {
      for (const { kind, name } of resources) assert.ok(name.includes("/") || described.has(kind), `${path}: ${name}`);
    }
  }
});

void test("SVC-188, SVC-348, SVC-349: every resource is listed with the names, verbs and categories that Kubernetes gives it", async () => {
  for (const path of await served()) {
    const facts = discoveryFacts((await subject.ask("GET", `/${path}`)).body);
    for (const [name, found] of Object.entries(facts)) assert.deepEqual(found, discovery[path]![name], name);
    if (!isFairlead) assert.deepEqual(facts, discovery[path]);
  }
  const core = discoveryFacts((await subject.ask("GET", "/api/v1")).body);
  const shortNames = (name: string): unknown => core[name]!["shortNames"];
  assert.deepEqual(
    ["services", "endpoints", "pods", "nodes", "namespaces", "events", "configmaps", "serviceaccounts"].map(shortNames),
    [["svc"], ["ep"], ["po"], ["no"], ["ns"], ["ev"], ["cm"], ["sa"]],
  );
  const inAll = Object.values(core).filter(({ categories }) => ((categories ?? []) as string[]).includes("all"));
  assert.deepEqual(
    inAll.map(({ name }) => name).filter((name) => name !== "replicationcontrollers"),
    ["pods", "services"],
  );
  assert.deepEqual(core["services"]!["categories"], ["all"]);
  const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
  assert.deepEqual(core["services"]!["verbs"], verbs);
  const slices = discoveryFacts((await subject.ask("GET", "/apis/discovery.k8s.io/v1")).body);
  assert.equal(slices["endpointslices"]!["shortNames"], undefined);
});

const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

void test("aggregated discovery says of every resource what the plain lists say", async () => {
  for (const root of ["/api", "/apis"]) {
    const accept = `${AGGREGATED},application/json`;
    const { body, headers } = await subject.ask("GET", root, undefined, { headers: { accept } });
    assert.equal(headers["content-type"], AGGREGATED);
    assert.equal(headers["cache-control"], "public");
    assert.equal(body.apiVersion, "apidiscovery.k8s.io/v2");
    assert.ok(body.items.length > 0);
    for (const item of body.items) {
      for (const version of item.versions) {
        const group = item.metadata.name as string | undefined;
        const path = group === undefined ? `/api/${version.version}` : `/apis/${group}/${version.version}`;
        const plain = discoveryFacts((await subject.ask("GET", path)).body);
        const rebuilt: Facts = {};
        for (const resource of version.resources) {
          const said = (one: typeof resource, name: string): void => {
            const { group: other, version: otherVersion, kind } = one.responseKind;
            rebuilt[name] = {
              name,
              singularName: one.singularResource ?? "",
              namespaced: resource.scope === "Namespaced",
              ...(other === "" ? {} : { group: other }),
              ...(otherVersion === "" ? {} : { version: otherVersion }),
              kind,
              verbs: one.verbs,
              ...(one.shortNames === undefined ? {} : { shortNames: one.shortNames }),
              ...(one.categories === undefined ? {} : { categories: one.categories }),
            };
          };
          said(resource, resource.resource);
          for (const below of resource.subresources ?? []) said(below, `${resource.resource}/${below.subresource}`);
        }
        assert.deepEqual(rebuilt, plain, path);
      }
    }
  }
});

void test("aggregated discovery and OpenAPI documents are known again by their tags", async () => {
  const asked: [path: string, headers: Record<string, string>][] = [
    ["/apis", { accept: AGGREGATED }],
    ["/api", { accept: AGGREGATED }],
    ["/openapi/v2", {}],
    ["/openapi/v3/api/v1", {}],
  ];
  for (const [path, headers] of asked) {
    const first = await subject.ask("GET", path, undefined, { headers });
    assert.match(first.headers.etag ?? "", /^"[0-9A-F]+"$/, path);
    const etag = first.headers.etag!;
    const again = await subject.ask("GET", path, undefined, { headers: { ...headers, "if-none-match": etag } });
    assert.deepEqual([again.code, again.text, again.headers.etag], [304, "", etag], path);
    const other = await subject.ask("GET", path, undefined, { headers: { ...headers, "if-none-match": '"AA"' } });
    assert.equal(other.code, 200, path);
  }
});

void test("OpenAPI 3: the index names each document with its hash, by which it may be kept for ever", async () => {
  const { body: index } = await subject.ask("GET", "/openapi/v3");
  const url = index.paths["api/v1"].serverRelativeURL as string;
  const kept = await subject.ask("GET", url);
  assert.equal(kept.headers["cache-control"], "public, immutable");
  assert.ok(kept.headers.expires !== undefined);
  assert.equal(`"${new URL(url, "https://x").searchParams.get("hash")}"`, kept.headers.etag);
  assert.equal((await subject.ask("GET", "/openapi/v3/api/v1")).headers["cache-control"], "no-cache, private");
  const stale = await subject.ask("GET", "/openapi/v3/api/v1?hash=AA");
  assert.deepEqual([stale.code, stale.headers.location], [301, url]);
  assert.equal((await subject.ask("GET", "/openapi/v3/apis/nothing/v1")).code, 404);
  const headers = { accept: "text/plain" };
  for (const path of ["/openapi/v2", "/openapi/v3/api/v1"]) {
    assert.equal((await subject.ask("GET", path, undefined, { headers })).code, 406, path);
  }
});

interface Operation {
  readonly parameters?: readonly { readonly name: string }[];
  readonly "x-kubernetes-action": string;
  readonly "x-kubernetes-group-version-kind": object;
}

void test("OpenAPI has every operation on services, and what clients look for in it", async () => {
  const { body } = await subject.ask("GET", "/openapi/v3/api/v1");
  const operations = (path: string): Record<string, string> =>
    Object.fromEntries(
      Object.entries(body.paths[path] as Record<string, Operation>)
        .filter(([method]) => method !== "parameters")
        .map(([method, operation]) => [method, operation["x-kubernetes-action"]]),
    );
  const collection = "/api/v1/namespaces/{namespace}/services";
  assert.deepEqual(operations(collection), { get: "list", post: "post", delete: "deletecollection" });
  assert.deepEqual(operations("/api/v1/services"), { get: "list" });
  assert.deepEqual(operations(`${collection}/{name}`), { get: "get", put: "put", patch: "patch", delete: "delete" });
  assert.deepEqual(operations(`${collection}/{name}/status`), { get: "get", put: "put", patch: "patch" });
  const { patch } = body.paths[`${collection}/{name}`] as { patch: Operation };
  assert.deepEqual(patch.parameters!.map(({ name }) => name).sort(), [
    "dryRun",
    "fieldManager",
    "fieldValidation",
    "force",
  ]);
  assert.deepEqual(patch["x-kubernetes-group-version-kind"], { group: "", version: "v1", kind: "Service" });
});

void test("OpenAPI 2 defines what OpenAPI 3 describes, as JSON, packed when asked, and as protobuf", async () => {
  const { body } = await subject.ask("GET", "/openapi/v2");
  assert.equal(body.swagger, "2.0");
  const port = body.definitions["io.k8s.api.core.v1.ServicePort"];
  assert.deepEqual(port.required, ["port"]);
  assert.equal(port.properties.targetPort.$ref, "#/definitions/io.k8s.apimachinery.pkg.util.intstr.IntOrString");
  assert.equal(port.properties.protocol.default, undefined);
  const patch = body.paths["/api/v1/namespaces/{namespace}/services/{name}"].patch;
  assert.ok(patch.parameters.some(({ name }: { name?: string }) => name === "dryRun"));
  const packed = await subject.ask("GET", "/openapi/v2", undefined, { headers: { "accept-encoding": "gzip" } });
  assert.equal(packed.headers["content-encoding"], "gzip");
  const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
  const protobuf = await subject.ask("GET", "/openapi/v2", undefined, { headers: { accept } });
  assert.equal(protobuf.headers["content-type"], "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
  assert.ok(protobuf.text.startsWith("\n\u00032.0"));
});

void test(
  "aggregated discovery of v2beta1 is there for kubectl before 1.30, which asks for no other",
  { skip: isFairlead ? false : "Kubernetes 1.36 has it no longer" },
  async () => {
    const accept = AGGREGATED.replace("v=v2", "v=v2beta1");
    const { body } = await subject.ask("GET", "/apis", undefined, { headers: { accept } });
    assert.equal(body.apiVersion, "apidiscovery.k8s.io/v2beta1");
  },
);

void test("/ lists the paths; /version says the version to programs alone", async () => {
  const { paths } = (await subject.ask("GET", "/")).body as { paths: string[] };
  for (const path of ["/api", "/api/v1", "/apis", "/apis/networking.k8s.io/v1", "/healthz", "/version"]) {
    assert.ok(paths.includes(path), path);
  }
  const { body, text } = await subject.ask("GET", "/version");
  assert.deepEqual([body.major, body.minor, body.emulationMinor], ["1", "36", "36"]);
  assert.deepEqual(Object.keys(body), [
    "major",
    "minor",
    "emulationMajor",
    "emulationMinor",
    "minCompatibilityMajor",
    "minCompatibilityMinor",
    "gitVersion",
    "gitCommit",
    "gitTreeState",
    "buildDate",
    "goVersion",
    "compiler",
    "platform",
  ]);
  assert.match(text, /^\{\n  "major"/);
  const headers = { accept: "application/yaml" };
  assert.equal((await subject.ask("GET", "/version", undefined, { headers })).code, 406);
  assert.equal((await subject.ask("POST", "/version", {})).code, 405);
});
