import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { markFor, markKey } from "./names.ts";
import { hasLeavers, leaversDue, serversDue } from "./servers.ts";
import { IpvsState } from "./state.ts";

const KEY = "-t 10.96.0.1:80";
const [A, B, C] = ["10.244.0.1:80", "10.244.0.2:80", "10.244.0.3:80"];

function holding(key: string, targets: Record<string, number>, choice = "-s rr"): IpvsState {
  const state = new IpvsState();
  state.servers.set(key, { choice, targets: new Map(Object.entries(targets)) });
  return state;
}
const want = (state: IpvsState, key: string, targets: Record<string, number>, serving: string[] = []): string[] => {
  state.wanted.set(key, { choice: "-s rr", targets: new Map(Object.entries(targets)), serving: new Set(serving) });
  return serversDue(state, [key], () => false);
};

test("newcomers come before others go, and what is as it shall be is not written", () => {
  const state = holding(KEY, { [A]: 1, [B]: 1 });
  deepEqual(want(state, KEY, { [B]: 1, [C]: 1 }), [`-a ${KEY} -r ${C} -m -w 1`, `-e ${KEY} -r ${A} -m -w 0`]);
  deepEqual(want(state, KEY, { [B]: 1, [C]: 1 }), []);
});

test("PRX-186: a come-back has its weight again; UDP and SCTP, marked ones too, are not waited for", () => {
  deepEqual(want(holding(KEY, { [A]: 0, [B]: 1 }), KEY, { [A]: 1, [B]: 1 }), [`-e ${KEY} -r ${A} -m -w 1`]);
  const marks = (["UDP", "SCTP"] as const).map((protocol) => markKey("IPv4", markFor(1, protocol)));
  for (const key of ["-u 10.96.0.1:80", "--sctp-service 10.96.0.1:80", ...marks]) {
    deepEqual(want(holding(key, { [A]: 1, [B]: 1 }), key, { [B]: 1 }), [`-d ${key} -r ${A}`]);
  }
  const tcp = markKey("IPv4", markFor(1, "TCP"));
  deepEqual(want(holding(tcp, { [A]: 1 }), tcp, {}), [`-e ${tcp} -r ${A} -m -w 0`]);
});

test("PRX-204: datagrams stay with an endpoint that ends and still serves, and not longer", () => {
  const key = "-u 10.96.0.1:80";
  const state = holding(key, { [A]: 1, [B]: 1 });
  deepEqual(want(state, key, { [B]: 1 }, [A, B]), [`-e ${key} -r ${A} -m -w 0`]);
  deepEqual(want(state, key, { [B]: 1 }, [A, B]), []);
  deepEqual(want(state, key, { [B]: 1 }, [B]), [`-d ${key} -r ${A}`]);
});

test("PRX-186: who waits is removed when no connection is left, active or inactive", () => {
  const state = holding(KEY, { [A]: 0, [B]: 0, [C]: 1 });
  deepEqual(leaversDue(state, new Map([[`${KEY} ${A}`, 1]])), [`-d ${KEY} -r ${B}`]);
  equal(hasLeavers(state), true);
  deepEqual(leaversDue(state, new Map()), [`-d ${KEY} -r ${A}`]);
  equal(hasLeavers(state), false);
});

test("PRX-188: a virtual server that nobody wants goes, unless it is excluded; one of another's that a Service wants is taken over", () => {
  const state = holding(KEY, { [A]: 1 });
  deepEqual(
    serversDue(state, [KEY], () => true),
    [],
  );
  deepEqual(
    serversDue(state, [KEY], () => false),
    [`-D ${KEY}`],
  );
  state.foreign.set(KEY, { choice: "-s lc", targets: new Map([[B, 1]]) });
  deepEqual(want(state, KEY, { [A]: 1 }), [
    `-E ${KEY} -s rr`,
    `-a ${KEY} -r ${A} -m -w 1`,
    `-e ${KEY} -r ${B} -m -w 0`,
  ]);
  equal(state.foreign.size, 0);
});
