import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import type { Lease } from "../../src/api/generated/types.ts";
import { leases } from "../../src/api/resources.ts";
import type { Client } from "../../src/client/client.ts";
import { createLeader, type Leader } from "../../src/ingress/status/leader.ts";
import { silentLog } from "../../src/observe/log.ts";
import { jumpingClock } from "../controllers/jumping-clock.ts";
import { until } from "../lab/until.ts";
import { controllerWorld } from "./controller-world.ts";

const AT = { namespace: "kube-system", name: "fairlead-ingress" };

test("CTL-152: who holds the Lease leads; when it dies another does after the Lease's time, and not before", async (t) => {
  const world = await controllerWorld(t);
  const { client } = world;
  const clock = jumpingClock();
  const lead = (identity: string, through: Client = client) => {
    const heard: boolean[] = [];
    const leader: Leader = createLeader({
      client: through,
      clock,
      random: () => 0,
      log: silentLog,
      ...AT,
      identity,
      changed: (leads) => heard.push(leads),
    });
    t.after(() => leader.stop());
    return { leader, heard };
  };
  // It takes the Lease, and then the API server is not to be had for it.
  let isCut = false;
  const cut = async (): Promise<void> => {
    if (isCut) throw new Error("the API server is away");
  };
  const first = lead("first", {
    ...client,
    get: async (...given) => cut().then(() => client.get(...given)),
    update: async (...given) => cut().then(() => client.update(...given)),
  });
  await until("the first to lead", () => first.leader.leads);
  isCut = true;
  let asked = 0;
  const second = lead("second", {
    ...client,
    async get(...given) {
      asked += 1;
      return client.get(...given);
    },
  });
  const tries = async (count: number): Promise<void> => {
    const before = asked;
    await until("tries of the second", () => {
      clock.jump(2_000);
      return asked >= before + count;
    });
  };
  await until("the second to see it", () => asked > 0);
  clock.jump(9_000);
  equal(second.leader.leads, false, "the Lease is good for 15 s");
  equal((await world.lease()).spec?.holderIdentity, "first");
  await tries(2);
  await until("the second to lead", () => (clock.jump(2_000), second.leader.leads));
  ok(!first.leader.leads, "who cannot renew it does not trust to lead");
  deepEqual(first.heard, [true, false]);
  const { spec } = await world.lease();
  equal(spec?.holderIdentity, "second");
  equal(spec?.leaseTransitions, 1);

  isCut = false;
  await until("the first to see whose it is", () => (clock.jump(2_000), !first.leader.leads));
  await second.leader.stop();
  equal((await client.get<Lease>(leases, AT)).spec?.holderIdentity, "", "it is given back");
  await until("the first to lead again", () => (clock.jump(2_000), first.leader.leads));
});
