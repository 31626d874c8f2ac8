import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { kinds } from "../../api/kinds.ts";
import { KindIndex, readRoute } from "../route.ts";
import { requestInfo } from "./attributes.ts";

const brief = (method: string, url: string): string => {
  const [path = "", query] = url.split("?");
  const info = requestInfo(method, path, new URLSearchParams(query));
  if (info.resource === undefined) return `${info.verb} path ${info.path}`;
  const { verb, group, version, resource, subresource, namespace, name } = info;
  return [verb, `${group}/${version}`, `${resource}${subresource && `/${subresource}`}`, `[${namespace}]`, name].join(
    " ",
  );
};

for (const [method, url, expected] of [
  ["GET", "/api/v1/namespaces/a/services", "list /v1 services [a] "],
  ["GET", "/api/v1/namespaces/a/services?watch=true", "watch /v1 services [a] "],
  ["GET", "/api/v1/watch/namespaces/a/services/web", "watch /v1 services [a] web"],
  ["GET", "/api/v1/services?fieldSelector=metadata.name%3Dweb", "list /v1 services [] web"],
  ["DELETE", "/api/v1/namespaces/a/services?fieldSelector=metadata.name%3Dweb", "deletecollection /v1 services [a] "],
  ["GET", "/api/v1/namespaces/a/services/web", "get /v1 services [a] web"],
  ["PUT", "/api/v1/namespaces/a/services/web/status", "update /v1 services/status [a] web"],
  ["POST", "/api/v1/namespaces/a/services", "create /v1 services [a] "],
  ["DELETE", "/api/v1/namespaces/a/services", "deletecollection /v1 services [a] "],
  ["DELETE", "/api/v1/namespaces/a/services/web", "delete /v1 services [a] web"],
  ["GET", "/api/v1/namespaces/a", "get /v1 namespaces [a] a"],
  ["PUT", "/api/v1/namespaces/a/finalize", "update /v1 namespaces/finalize [a] a"],
  ["GET", "/api/v1/namespaces", "list /v1 namespaces [] "],
  ["PATCH", "/apis/networking.k8s.io/v1/servicecidrs/x", "patch networking.k8s.io/v1 servicecidrs [] x"],
  ["POST", "/api/v1/namespaces/a/services/http:web:80/proxy/x/y", "create /v1 services/proxy [a] http:web:80"],
  ["GET", "/apis/nowhere.example/v9/things", "list nowhere.example/v9 things [] "],
  ["GET", "/apis/networking.k8s.io/v1", "get path /apis/networking.k8s.io/v1"],
  ["GET", "/healthz", "get path /healthz"],
  ["GET", "/%61pi/v1/namespaces/%61/secrets/x", "get /v1 secrets [a] x"],
  ["GET", "/apis/networking.k8s.io/v1/", "get path /apis/networking.k8s.io/v1/"],
  ["GET", "/%68ealthz", "get path /healthz"],
  ["GET", "/%zz", "get path /%zz"],
  ["HEAD", "/version", "head path /version"],
] as const) {
  void test(`requestInfo: ${method} ${url} is ${expected.trim()}`, () => {
    assert.equal(brief(method, url), expected);
  });
}

void test("requestInfo: what narrows a request is told for requests of many objects alone", () => {
  const selected = (method: string, path: string): string | undefined => {
    const info = requestInfo(method, path, new URLSearchParams("fieldSelector=spec.nodeName%3Dn"));
    return info.resource === undefined ? undefined : info.fieldSelector;
  };
  assert.equal(selected("GET", "/api/v1/pods"), "spec.nodeName=n");
  assert.equal(selected("DELETE", "/api/v1/namespaces/a/pods"), "spec.nodeName=n");
  assert.equal(selected("GET", "/api/v1/namespaces/a/pods/p"), undefined);
  assert.equal(selected("GET", "/api/v1/watch/pods"), undefined);
});

void test("requestInfo: what the router would serve is what was judged, however the path is written", () => {
  const index = new KindIndex(kinds);
  const root = fc.constantFrom("api/v1", "%61pi/v1", "apis/discovery.k8s.io/v1", "ap%69s/discovery.k8s.io/v1", "api");
  const word = fc.constantFrom(
    "a",
    "%2F",
    "%61",
    "",
    "secrets",
    "pods",
    "log",
    "endpointslices",
    "nodes",
    "%6Eodes",
    "status",
  );
  const place = fc.constantFrom(
    "namespaces",
    "watch",
    "namespaces/a",
    "namespaces/%2F",
    "watch/namespaces/a",
    "n%61mespaces/a",
  );
  const path = fc
    .tuple(root, fc.option(place, { nil: "" }), fc.array(word, { maxLength: 4 }), fc.constantFrom("", "/"))
    .map(([start, where, rest, end]) => `/${[start, ...(where === "" ? [] : [where]), ...rest].join("/")}${end}`);
  let served = 0;
  fc.assert(
    fc.property(path, (text) => {
      let route: ReturnType<typeof readRoute>;
      try {
        route = readRoute(text, index);
      } catch {
        return;
      }
      if (route === undefined) return;
      served += 1;
      const info = requestInfo("GET", text, new URLSearchParams());
      assert.equal(info.resource, route.kind.plural);
      if (info.resource === undefined) return;
      assert.equal(info.group, route.kind.group);
      assert.equal(info.name, route.name ?? "");
      assert.equal(info.subresource, route.subresource ?? "");
      if (route.kind.namespaced) assert.equal(info.namespace, route.namespace ?? "");
    }),
    { numRuns: 5000, seed: 1 },
  );
  assert.ok(served > 500, `${served} paths were served`);
});
