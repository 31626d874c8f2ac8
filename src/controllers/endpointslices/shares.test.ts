import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointSlice, Pod } from "../../api/generated/types.ts";
import { pod, service } from "../../../test/controllers/examples.ts";
import { applied, decide, fresh, isNothing, many, only } from "../../../test/controllers/slices.ts";

const ENDPOINTS = "fairlead.dev/endpoints";
const saying = (one: Pod, annotations: Record<string, string>): Pod => ({
  ...one,
  metadata: { ...one.metadata, annotations },
});
const said = (slice: EndpointSlice): unknown => {
  const text = slice.metadata.annotations?.[ENDPOINTS];
  return text === undefined ? undefined : JSON.parse(text);
};
const [a, b, c] = ["a", "bb", "ccc"].map((name) => pod(name, { ready: true })) as [Pod, Pod, Pod];
const light = saying(a, { "fairlead.dev/weight": "10", note: "x" });
const spare = saying(b, { "fairlead.dev/backup": "true" });

test("a slice says what its pods say of their share, as they say it, and nothing when they say nothing", () => {
  assert.equal(only(fresh({ pods: [a, b, c] })).metadata.annotations, undefined);
  assert.deepEqual(said(only(fresh({ pods: [c, spare, light] }))), { a: { weight: "10" }, bb: { backup: "true" } });
  const wrong = saying(a, { "fairlead.dev/weight": "h".repeat(1000) });
  assert.deepEqual(said(only(fresh({ pods: [wrong] }))), { a: { weight: "h".repeat(40) } });
});

test("what a pod says anew is written at once, what it says no more is taken away, and else nothing is written", () => {
  const first = applied([], decide({ pods: [light, b] }));
  isNothing(decide({ pods: [light, b], existing: first }));
  isNothing(decide({ pods: [b, light], existing: first }));
  const heavier = decide({ pods: [saying(a, { "fairlead.dev/weight": "20" }), b], existing: first });
  assert.deepEqual(said(only(heavier.update)), { a: { weight: "20" } });
  const silent = applied(first, decide({ pods: [a, b], existing: first }));
  assert.deepEqual(said(only(silent)), undefined);
  isNothing(decide({ pods: [a, b], existing: silent }));
  const gone = applied(first, decide({ pods: [], existing: first }));
  assert.equal(said(only(gone)), undefined, "nor does it outlive its pod");
});

test("only the slice of the pod is written, and what others wrote beside it stays", () => {
  const pods = many(30);
  const first = applied([], decide({ pods, most: 10 })).map((slice) => ({
    ...slice,
    metadata: { ...slice.metadata, annotations: { note: "kept" } },
  }));
  assert.equal(first.length, 3);
  const next = pods.map((one, index) => (index === 15 ? saying(one, { "fairlead.dev/weight": "7" }) : one));
  const written = only(decide({ pods: next, existing: first, most: 10 }).update);
  assert.ok(written.endpoints?.some(({ targetRef }) => targetRef?.name === "p15"));
  assert.deepEqual(said(written), { p15: { weight: "7" } });
  assert.equal(written.metadata.annotations?.["note"], "kept");
});

test("each family's slice says it; a headless Service's says nothing", () => {
  const dual = saying(pod("a", { ready: true, ips: ["10.1.0.1", "fd00::1"] }), { "fairlead.dev/weight": "10" });
  const slices = fresh({ service: service({ ipFamilies: ["IPv4", "IPv6"] }), pods: [dual] });
  assert.deepEqual(slices.map(said), [{ a: { weight: "10" } }, { a: { weight: "10" } }]);
  assert.equal(said(only(fresh({ service: service({ clusterIP: "None" }), pods: [dual] }))), undefined);
});

test("a slice of a thousand pods with the longest names can still be written", () => {
  const pods = many(1000).map((one, index) => {
    const name = `${String(index).padStart(4, "0")}${"x".repeat(249)}`;
    return { ...one, metadata: { ...one.metadata, name, annotations: { "fairlead.dev/weight": "1" } } };
  });
  const text = only(fresh({ pods, most: 1000 })).metadata.annotations?.[ENDPOINTS] ?? "";
  assert.ok(text.length > 150_000 && text.length <= 200_002, `${text.length} bytes`);
  assert.ok(JSON.parse(text));
});
