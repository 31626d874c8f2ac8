import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointSlice } from "../../api/generated/types.ts";
import { ApiError } from "../../api/status.ts";
import type { Client } from "../../client/client.ts";
import type { OwnWrites } from "../../client/own-writes.ts";
import { applyChanges } from "./act.ts";

const slice = (name: string): EndpointSlice => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { namespace: "shop", name, uid: `uid-${name}` },
  addressType: "IPv4",
  endpoints: [],
});
const none = { stale: [], create: [], update: [], delete: [] };

function writer(answers: { create?: Error; update?: Error; delete?: Error }) {
  const told: string[] = [];
  const act = (verb: "create" | "update" | "delete", name: string) => {
    told.push(`${verb} ${name}`);
    const refusal = answers[verb];
    return refusal === undefined ? Promise.resolve(slice(name)) : Promise.reject(refusal);
  };
  const client = {
    create: (_: unknown, { metadata }: EndpointSlice) => act("create", metadata.name ?? ""),
    update: (_: unknown, { metadata }: EndpointSlice) => act("update", metadata.name ?? ""),
    delete: (_: unknown, at: { name: string }) => act("delete", at.name),
  } as unknown as Client;
  const slices = {
    wrote: ({ metadata }: EndpointSlice) => told.push(`held ${metadata.name}`),
    deleted: ({ metadata }: EndpointSlice) => told.push(`gone ${metadata.name}`),
    forget: ({ metadata }: EndpointSlice) => told.push(`forgotten ${metadata.name}`),
  } as unknown as OwnWrites<EndpointSlice>;
  return {
    told,
    writer: {
      client,
      slices,
      namespace: "shop",
      counts: { wrote: (what: string) => void told.push(`counted ${what}`) },
    },
  };
}
const { signal } = new AbortController();
const going = (): ApiError =>
  new ApiError("Forbidden", "because it is being terminated", {
    causes: [{ reason: "NamespaceTerminating", message: "namespace shop is being terminated" }],
  });

test("what belongs to a deleted namesake goes first, what is too much last", async () => {
  const { told, writer: given } = writer({});
  const changes = { stale: [slice("old")], create: [slice("new")], update: [slice("same")], delete: [slice("spare")] };
  await applyChanges(given, changes, signal);
  assert.deepEqual(
    told.filter((word) => /^(create|update|delete) /.test(word)),
    ["delete old", "update same", "create new", "delete spare"],
  );
  assert.equal(told.filter((word) => word.startsWith("counted")).length, 4);
});

test("CTL-050: a slice that cannot be made because its namespace goes is no failure", async () => {
  const { told, writer: given } = writer({ create: going() });
  await applyChanges(given, { ...none, create: [slice("new")] }, signal);
  assert.deepEqual(told, ["create new"]);
  const gone = new ApiError("NotFound", 'namespaces "shop" not found', { kind: "namespaces", name: "shop" });
  await applyChanges(writer({ create: gone }).writer, { ...none, create: [slice("new")] }, signal);
});

test("CTL-050: any other refusal is one", async () => {
  const forbidden = new ApiError("Forbidden", "you may not");
  await assert.rejects(
    applyChanges(writer({ create: forbidden }).writer, { ...none, create: [slice("new")] }, signal),
    forbidden,
  );
});

test("CTL-051: what conflicts is no longer believed, and is tried again", async () => {
  const conflict = new ApiError("Conflict", "the object has been modified");
  const { told, writer: given } = writer({ update: conflict });
  await assert.rejects(applyChanges(given, { ...none, update: [slice("same")] }, signal), conflict);
  assert.deepEqual(told, ["update same", "forgotten same"]);
});
