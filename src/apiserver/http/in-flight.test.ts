import assert from "node:assert/strict";
import { test } from "node:test";
import { isApiError } from "../../api/status.ts";
import { requestInfo } from "../access/attributes.ts";
import { InFlight } from "./in-flight.ts";

const jane = { user: "jane", groups: ["system:authenticated"] };
const info = (method: string, path: string) => {
  const [bare = "", query] = path.split("?");
  return requestInfo(method, bare, new URLSearchParams(query));
};
const isRefused = (error: unknown): boolean =>
  isApiError(error, "TooManyRequests") && error.details?.retryAfterSeconds === 1;

void test("requests beyond the limit are refused until one is done; reading and writing are counted apart", () => {
  const flight = new InFlight({ reading: 2, writing: 1 });
  const get = info("GET", "/api/v1/namespaces/default/services/web");
  const list = info("GET", "/api/v1/services");
  const post = info("POST", "/api/v1/namespaces/default/services");
  const first = flight.take(get, jane);
  flight.take(list, jane);
  assert.throws(() => flight.take(get, jane), isRefused);
  assert.throws(() => flight.take(info("GET", "/version"), jane), isRefused);
  const written = flight.take(post, jane);
  assert.throws(() => flight.take(info("DELETE", "/api/v1/namespaces/default/services/web"), jane), isRefused);
  first();
  flight.take(get, jane);
  written();
  flight.take(post, jane);
});

void test("watches, streams, health and system:masters are not counted", () => {
  const flight = new InFlight({ reading: 0, writing: 0 });
  for (const path of [
    "/api/v1/services?watch=true",
    "/api/v1/watch/services",
    "/api/v1/namespaces/default/pods/web/log?follow=true",
    "/api/v1/namespaces/default/pods/web/exec",
    "/readyz",
    "/livez/ping",
  ]) {
    flight.take(info("GET", path), jane);
  }
  flight.take(info("POST", "/api/v1/namespaces"), { user: "admin", groups: ["system:masters"] });
});
