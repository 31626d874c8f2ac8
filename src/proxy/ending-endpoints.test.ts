import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { EndpointConditions, EndpointSlice } from "../api/generated/types.ts";
import { endingEndpoints } from "./ending-endpoints.ts";

const ENDING = { ready: false, serving: true, terminating: true };
const slice = (conditions: EndpointConditions, uid = "u", nodeName = "n1"): EndpointSlice => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: "s" },
  addressType: "IPv4",
  endpoints: [{ addresses: ["10.0.0.1"], conditions, nodeName, targetRef: { kind: "Pod", uid } }],
});

void test("a pod of this node is ending when one slice says so and none leads to it", () => {
  const ending = endingEndpoints("n1");
  const uids = (): string[] => [...ending.uids];
  ending.set("a", slice({ ready: true }));
  ending.set("b", slice({}));
  deepEqual(uids(), []);
  ending.set("a", slice(ENDING));
  deepEqual(uids(), [], "the other slice still leads to it");
  ending.set("b", slice(ENDING));
  deepEqual(uids(), ["u"]);
  ending.set("b", undefined);
  deepEqual(uids(), ["u"]);
  ending.set("a", undefined);
  deepEqual(uids(), []);
});

void test("what is merely not ready, published while it ends, or of another node is not", () => {
  const ending = endingEndpoints("n1");
  ending.set("a", slice({ ready: false, terminating: false }, "not-ready"));
  ending.set("b", slice({ ready: true, terminating: true }, "published"));
  ending.set("c", slice(ENDING, "elsewhere", "n2"));
  deepEqual([...ending.uids], []);
});
