import assert from "node:assert/strict";
import { test } from "node:test";
import type { PodExample } from "../../../test/controllers/examples.ts";
import { pod, service } from "../../../test/controllers/examples.ts";
import { fresh, only } from "../../../test/controllers/slices.ts";

const conditions = (ready: boolean, serving: boolean, terminating: boolean) => ({ ready, serving, terminating });

// Each pod twice: as an endpoint of a Service that publishes only what is ready, and of one that publishes all.
for (const [id, example, publishNotReadyAddresses, expected] of [
  ["CTL-009, CTL-011, CTL-016", { ready: true }, false, conditions(true, true, false)],
  ["CTL-009, CTL-011, CTL-017", { ready: false }, false, conditions(false, false, false)],
  ["CTL-013", {}, false, conditions(false, false, false)],
  ["CTL-005, CTL-010, CTL-011, CTL-018", { ready: true, deleting: true }, false, conditions(false, true, true)],
  ["CTL-005, CTL-010, CTL-019", { ready: false, deleting: true }, false, conditions(false, false, true)],
  ["CTL-011, CTL-014, CTL-020", { ready: false }, true, conditions(true, false, false)],
  ["CTL-021", { ready: true, deleting: true }, true, conditions(true, true, true)],
  ["CTL-021", { ready: false, deleting: true }, true, conditions(true, false, true)],
  ["CTL-022", { phase: "Succeeded" }, true, undefined],
  ["CTL-022", { phase: "Failed" }, false, undefined],
  ["CTL-004", { ready: true, ips: [] }, true, undefined],
  ["CTL-004", { ready: true, spec: { nodeName: "unknown" } }, false, undefined],
  ["CTL-004", { ready: true, spec: { nodeName: "unknown" } }, true, conditions(true, true, false)],
] as [string, PodExample, boolean, object | undefined][]) {
  test(`${id}: conditions of ${JSON.stringify(example)} with publishNotReadyAddresses ${publishNotReadyAddresses}`, () => {
    const slice = only(fresh({ service: service({ publishNotReadyAddresses }), pods: [pod("a", example)] }));
    assert.deepEqual(
      slice.endpoints?.map(({ conditions }) => conditions),
      expected === undefined ? [] : [expected],
    );
  });
}

test("CTL-004: a pod whose node is not there does not keep the others out", () => {
  const pods = [pod("a", { ready: true, spec: { nodeName: "unknown" } }), pod("b", { ready: true })];
  const { endpoints } = only(fresh({ pods }));
  assert.deepEqual(
    endpoints?.map(({ targetRef }) => targetRef?.name),
    ["b"],
  );
});
