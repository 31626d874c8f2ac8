import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event } from "../api/generated/types.ts";
import { ApiError } from "../api/status.ts";
import { silentLog } from "../observe/log.ts";
import type { Client } from "./client.ts";
import { createEventRecorder } from "./events.ts";

function recorder(limit = 256) {
  const created: Event[] = [];
  const patched: { name: string; patch: unknown }[] = [];
  const refusals: Error[] = [];
  const client = {
    create: async (_resource: unknown, object: unknown) => {
      const refusal = refusals.shift();
      if (refusal) throw refusal;
      created.push(object as Event);
      return object;
    },
    patch: async (_resource: unknown, at: { name: string }, _type: unknown, patch: unknown) => {
      const refusal = refusals.shift();
      if (refusal) throw refusal;
      patched.push({ name: at.name, patch });
    },
  } as unknown as Client;
  const clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5), after: () => () => {} };
  const events = createEventRecorder({ client, component: "test", clock, log: silentLog, limit });
  return { events, created, patched, refusals };
}

const pod = { apiVersion: "v1", kind: "Pod", metadata: { namespace: "x", name: "p", uid: "u" } };
const node = { apiVersion: "v1", kind: "Node", metadata: { name: "n", uid: "v" } };

test("an event names its object, and lives in the object's namespace or in default", async () => {
  const { events, created } = recorder();
  events.event(pod, "Warning", "FailedScheduling", "no node");
  events.event(node, "Normal", "Starting", "hello");
  await events.flush();
  assert.deepEqual(
    created.map(({ metadata }) => metadata.namespace),
    ["x", "default"],
  );
  const [first] = created;
  assert.match(first?.metadata.name ?? "", /^p\.[0-9a-f]{16}$/);
  assert.deepEqual(first?.involvedObject, {
    apiVersion: "v1",
    kind: "Pod",
    name: "p",
    namespace: "x",
    uid: "u",
    resourceVersion: undefined,
  });
  assert.deepEqual(
    [first.reason, first.message, first.type, first.count, first.firstTimestamp, first.source?.component],
    ["FailedScheduling", "no node", "Warning", 1, "2026-01-02T03:04:05Z", "test"],
  );
});

test("the same event raises the count, and is told anew when the server has forgotten it", async () => {
  const { events, created, patched, refusals } = recorder();
  events.event(pod, "Normal", "A", "m");
  events.event(pod, "Normal", "A", "m");
  await events.flush();
  assert.equal(created[0]?.count, 2);
  events.event(pod, "Normal", "A", "m");
  await events.flush();
  assert.deepEqual(patched[0]?.patch, { count: 3, lastTimestamp: "2026-01-02T03:04:05Z" });
  refusals.push(new ApiError("NotFound", "gone"));
  events.event(pod, "Normal", "A", "m");
  await events.flush();
  assert.equal(created.length, 2);
});

test("a full queue drops what comes, and a refusal harms nobody", async () => {
  const { events, created, refusals } = recorder(3);
  refusals.push(new Error("away"));
  for (let index = 0; index < 10; index += 1) events.event(pod, "Normal", "A", `m${index}`);
  await events.flush();
  assert.deepEqual(
    created.map(({ message }) => message),
    ["m1", "m2"],
  );
});
