import assert from "node:assert/strict";
import type { EndpointSlice, Node, Pod } from "../../src/api/generated/types.ts";
import type { SliceChanges, SliceDecision, SliceInput } from "../../src/controllers/endpointslices/decide.ts";
import { decideSlices } from "../../src/controllers/endpointslices/decide.ts";
import { node, pod, service } from "./examples.ts";

// What the tests of EndpointSlices share: a decision about the Service of `examples.ts`, and what a server would hold after it.

const NODES = new Map<string, Node>([
  ["node-1", node("node-1", { "topology.kubernetes.io/zone": "a" })],
  ["node-2", node("node-2")],
]);

export const decideAll = (input: Partial<SliceInput>): SliceDecision =>
  decideSlices({
    service: service(),
    pods: [],
    existing: [],
    node: (name) => NODES.get(name),
    most: 100,
    shares: () => "nodes",
    told: {},
    ...input,
  });
export const decide = (input: Partial<SliceInput>): SliceChanges => decideAll(input).changes;

let names = 0;
/** What the server would hold after the changes. */
export function applied(existing: readonly EndpointSlice[], changes: SliceChanges): EndpointSlice[] {
  const gone = new Set([...changes.stale, ...changes.delete].map(({ metadata }) => metadata.name));
  const updated = new Map(changes.update.map((slice) => [slice.metadata.name, slice]));
  assert.equal(updated.size, changes.update.length, "no slice is updated twice");
  return [
    ...existing
      .filter(({ metadata }) => !gone.has(metadata.name))
      .map((slice) => updated.get(slice.metadata.name) ?? slice),
    ...changes.create.map((slice) => ({
      ...slice,
      metadata: { ...slice.metadata, name: `${slice.metadata.generateName}${(names += 1)}` },
    })),
  ];
}

/** The slices of a Service that has none yet. */
export const fresh = (input: Partial<SliceInput>): readonly EndpointSlice[] => {
  const { create, ...others } = decide(input);
  assert.deepEqual(others, { stale: [], update: [], delete: [] });
  return create;
};
export const only = <T>(list: readonly T[] | undefined): T => {
  assert.equal(list?.length, 1);
  return list[0]!;
};
export const isNothing = (changes: SliceChanges): void =>
  assert.deepEqual(changes, { stale: [], create: [], update: [], delete: [] });

/** So many ready pods, each with an address of its own. */
export const many = (count: number, from = 0): Pod[] =>
  Array.from({ length: count }, (_, index) =>
    pod(`p${from + index}`, { ready: true, ips: [`10.1.${(from + index) >> 8}.${(from + index) & 255}`] }),
  );
export const sizes = (slices: readonly EndpointSlice[]): (number | undefined)[] =>
  slices.map(({ endpoints }) => endpoints?.length);
