import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { EndpointSlice, Lease } from "../api/generated/types.ts";
import type { Client } from "../client/client.ts";
import { systemClock } from "../observe/clock.ts";
import { silentLog } from "../observe/log.ts";
import { appliedLease, type LeaseVoice } from "./applied-lease.ts";

/** A lease whose writes are kept: version and uids of each. */
function lease() {
  const written: string[] = [];
  const patch = async (_: unknown, __: unknown, ___: unknown, body: Partial<Lease>): Promise<void> => {
    const annotations = body.metadata?.annotations ?? {};
    written.push(
      `${annotations["fairlead.dev/applied-endpointslices"]} ${annotations["fairlead.dev/ending-endpoints"]}`.trim(),
    );
  };
  const client = { patch } as unknown as Client;
  const kept = appliedLease({ client, clock: systemClock, log: silentLog, nodeName: "n1" });
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { ...kept, written, settled };
}

const ending = (uid: string): EndpointSlice => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { namespace: "default", name: uid },
  addressType: "IPv4",
  endpoints: [
    {
      addresses: ["10.244.0.1"],
      nodeName: "n1",
      targetRef: { kind: "Pod", uid },
      conditions: { ready: false, terminating: true },
    },
  ],
});
const round = (voice: LeaseVoice, version: string, ...uids: readonly string[]): void => {
  for (const uid of uids) voice.changed(undefined, ending(uid));
  voice.collected(version);
  voice.applied();
};

test("the first round is told, and then each in which a pod of this node begins to end", async () => {
  const all = lease();
  const { written, settled } = all;
  const one = all.join();
  round(one, "5");
  await settled();
  round(one, "6");
  await settled();
  round(one, "7", "a");
  await settled();
  deepEqual(written, ["5", "7 a"]);
});

test("while two have rules only what both leave out is told, at the earlier version", async () => {
  const all = lease();
  const { written, settled } = all;
  const old = all.join();
  round(old, "9");
  await settled();
  const next = all.join();
  round(old, "10", "a");
  await settled();
  deepEqual(written, ["9"], "what the first rules of the new one will be is not known");
  round(next, "9");
  await settled();
  deepEqual(written, ["9"], "the new one leads to the pod");
  round(next, "11", "a", "b");
  await settled();
  deepEqual(written, ["9", "10 a"], "the old one leads to the other pod");
});

test("rules of one who has stopped count until they are gone", async () => {
  const all = lease();
  const { written, settled } = all;
  const old = all.join();
  const next = all.join();
  round(old, "5");
  round(next, "6", "a");
  await settled();
  deepEqual(written, ["5"]);
  old.leave();
  await settled();
  deepEqual(written, ["5", "6 a"]);
});
