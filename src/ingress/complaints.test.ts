import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { ingress } from "../../test/ingress/plan-examples.ts";
import { createComplaints } from "./complaints.ts";
import type { IngressFault } from "./plan/view.ts";

const fault = (field: string): IngressFault => ({ field, reason: "Reason", message: "message" });

test("a fault is told when it is new, and again when nobody may have heard it", () => {
  const told: string[] = [];
  const complaints = createComplaints({
    event: (object, type, reason, message) => void told.push(`${object.metadata.name} ${type} ${reason} ${message}`),
  });
  const find = (key: string) =>
    key === "default/gone" ? undefined : ingress({}, { name: key.slice("default/".length) });
  const tell = (faults: Record<string, string[]>): string[] => {
    told.length = 0;
    complaints.tell(new Map(Object.entries(faults).map(([key, fields]) => [key, fields.map(fault)])), find);
    return [...told];
  };
  deepEqual(tell({ "default/a": ["x"], "default/gone": ["x"] }), ["a Warning Reason x: message"]);
  deepEqual(tell({ "default/a": ["x"] }), []);
  deepEqual(tell({ "default/a": ["x", "y"], "default/b": ["x"] }), [
    "a Warning Reason y: message",
    "b Warning Reason x: message",
  ]);
  deepEqual(tell({}), []);
  deepEqual(tell({ "default/a": ["x"] }), ["a Warning Reason x: message"]);
  complaints.forget();
  deepEqual(tell({ "default/a": ["x"] }), ["a Warning Reason x: message"]);
});
