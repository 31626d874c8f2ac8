import assert from "node:assert/strict";
import { test } from "node:test";
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
  ["HEAD", "/version", "head path /version"],
] as const) {
  void test(`requestInfo: ${method} ${url} is ${expected.trim()}`, () => {
    assert.equal(brief(method, url), expected);
  });
}
