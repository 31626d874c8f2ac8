import assert from "node:assert/strict";
import { test } from "node:test";
import { endpoints, endpointSlices } from "../../../src/api/resources.ts";
import { INSTANCES, instanceKey, objectKey } from "../../../src/apiserver/keys.ts";
import { manualClock } from "../../client/waiting.ts";
import { until } from "../../lab/until.ts";
import { createServers } from "./servers.ts";

const ONE = "192.0.2.1";
const TWO = "192.0.2.2";

async function scene(t: Parameters<typeof createServers>[0]) {
  const servers = await createServers(t);
  /** The addresses that clients find, the same in Endpoints and slice. */
  const listed = async (): Promise<string> => {
    const { subsets = [] } = await servers.read(endpoints, "kubernetes");
    const slice = await servers.read(endpointSlices, "kubernetes");
    const ofEndpoints = subsets.flatMap(({ addresses }: { addresses: { ip: string }[] }) =>
      addresses.map(({ ip }) => ip),
    );
    const ofSlice = (slice.endpoints ?? []).flatMap(({ addresses }: { addresses: string[] }) => addresses);
    return ofEndpoints.join() === ofSlice.join() ? ofSlice.join() : `${ofEndpoints.join()} but ${ofSlice.join()}`;
  };
  return { ...servers, listed };
}

void test("SVC-282, SVC-283, SVC-284: servers on one store are all listed; one that ends well takes its address along at once", async (t) => {
  const { start, listed } = await scene(t);
  const one = await start({ ip: ONE });
  assert.equal(await listed(), ONE);
  const two = await start({ ip: TWO });
  assert.equal(await listed(), `${ONE},${TWO}`);
  await one.close();
  assert.equal(await listed(), TWO);
  // Who is left has heard of it, and does not put the address back.
  await two.passing("many looks", 5000, () => two.clock.now() > 1_700_000_060_000);
  assert.equal(await listed(), TWO);
  await two.close();
  assert.equal(await listed(), "", "as upstream: the last one leaves an empty list");
  await start({ ip: ONE });
  assert.equal(await listed(), ONE);
});

void test("SVC-282: a server that died is taken off the list 15 s after it was last seen to live, and no sooner", async (t) => {
  const { start, listed } = await scene(t);
  const one = await start({ ip: ONE });
  // Its clock stands still: it renews nothing any more.
  await start({ ip: TWO });
  let looks = 0;
  await one.passing("the dead one is off the list", 5000, async () => {
    looks++;
    return (await listed()) === ONE;
  });
  assert.ok(looks >= 4, `${looks} looks`);
});

/** Every list of addresses that Endpoints have had, and how often each lease was written. */
async function history({ store }: Awaited<ReturnType<typeof scene>>) {
  const lists: string[] = [];
  const renewals = new Map<string, number>();
  await store.watch("/", await store.revision(), {
    events: (events) => {
      for (const event of events) {
        if (event.type !== "put") continue;
        const { key, value } = event.entry;
        if (key.startsWith(INSTANCES)) renewals.set(key, (renewals.get(key) ?? 0) + 1);
        if (key !== objectKey(endpoints, { namespace: "default", name: "kubernetes" })) continue;
        const { subsets = [] } = JSON.parse(value) as { subsets?: { addresses: { ip: string }[] }[] };
        lists.push(subsets.flatMap(({ addresses }) => addresses.map(({ ip }) => ip)).join());
      }
    },
    ended: () => {},
  });
  return { lists, renewals };
}

void test("SVC-282: servers that live stay listed for as long as they do, each by renewing its lease", async (t) => {
  const servers = await scene(t);
  const clock = manualClock();
  for (const ip of [ONE, TWO]) await servers.start({ ip, clock });
  const { lists, renewals } = await history(servers);
  for (let renewed = 1; renewed < 10; renewed++) {
    await until("both leases are renewed", () => {
      clock.advance(5000);
      return [ONE, TWO].every((ip) => (renewals.get(instanceKey(ip)) ?? 0) >= renewed);
    });
  }
  assert.deepEqual([lists, await servers.listed()], [[], `${ONE},${TWO}`]);
});

void test("SVC-282: a clock that jumps by an hour takes nobody off the list", async (t) => {
  const servers = await scene(t);
  const clock = manualClock();
  let ahead = 0;
  const jumping = { ...clock, now: () => clock.now() + ahead };
  await servers.start({ ip: ONE, clock });
  await servers.start({ ip: TWO, clock: jumping });
  const { lists, renewals } = await history(servers);
  for (const [index, jump] of [3_600_000, -7_200_000].entries()) {
    ahead += jump;
    await until("both leases are renewed since the jump", () => {
      clock.advance(5000);
      return [ONE, TWO].every((ip) => (renewals.get(instanceKey(ip)) ?? 0) >= 3 * (index + 1));
    });
  }
  assert.deepEqual([lists, await servers.listed()], [[], `${ONE},${TWO}`]);
});

void test("a server that is alone writes nothing, however long it lives", async (t) => {
  const { start, store } = await scene(t);
  let looks = 0;
  const one = await start(
    { ip: ONE },
    {
      ...store,
      list: (prefix, options) => {
        if (prefix === INSTANCES) looks++;
        return store.list(prefix, options);
      },
    },
  );
  await one.passing("its first looks", 5000, () => looks > 5);
  const revision = await store.revision();
  await one.passing("many looks", 5000, () => looks > 50);
  assert.equal(await store.revision(), revision);
});
