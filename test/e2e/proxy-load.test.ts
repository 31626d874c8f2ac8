import { after, before, describe, test, type TestContext } from "node:test";
import type { Service } from "../../src/api/generated/types.ts";
import { services } from "../../src/api/resources.ts";
import { times } from "../lab/counts.ts";
import { childOf, endAll, processesOf, withClient } from "../lab/inside.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import type { SteadyLoad } from "../lab/steady-load.ts";
import { until } from "../lab/until.ts";
import { held, underLoad, unfailed as noneFailed, type UnderLoad } from "./under-load.ts";

const PER_SECOND = 1000;
/** What userspace is asked to carry, the most first: how much it does depends on the machine. */
const USERSPACE_RATES = [1000, 500, 200, 100];
const RESTARTS = times(2, 25);
const SCALES = times(1, 20);
const SWITCHES = times(1, 20);
const ROLLOUTS = times(1, 50);
const UNRELATED = 1000;

/** What a mode has in the kernel that another one must not have. */
const TRACES = { nftables: /^table ip fairlead$/m, iptables: /FAIRLEAD|fairlead:/ } as const;

const site = (mode: Parameters<typeof underLoad>[1], tests: (subject: () => UnderLoad) => void): void => {
  let lab: Lab;
  let host: LabHost;
  let subject: UnderLoad | undefined;
  before(async () => {
    lab = await createLab();
    host = await lab.add("h1");
    subject = await underLoad(host, mode);
  });
  after(async () => {
    await subject?.end();
    await lab?.close();
  });
  tests(() => subject!);
};

const begin = async (t: TestContext, subject: UnderLoad, perSecond: number): Promise<SteadyLoad> => {
  const load = await subject.load(perSecond);
  t.after(() => load.end());
  await load.more(perSecond);
  return load;
};

const unfailed = async (what: string, load: SteadyLoad): Promise<void> => noneFailed(what, await load.more(200));

/** The most that userspace carries here without a call that fails or waits for seconds. */
async function carriedRate(subject: UnderLoad): Promise<number> {
  for (const perSecond of USERSPACE_RATES) {
    const load = await subject.load(perSecond);
    const { failed } = await load.more(3 * perSecond).catch(() => ({ failed: 1 }));
    const { longest, rate, most } = await load.end();
    console.log(
      `userspace at ${perSecond} a second: ${failed} failed, ${rate} a second, the longest ${longest} ms, ${most} at once`,
    );
    if (failed === 0 && longest < 1000 && rate >= 0.98 * perSecond) return perSecond;
  }
  return USERSPACE_RATES.at(-1)!;
}

describe(`nftables at ${PER_SECOND} new connections a second`, () => {
  site("nftables", (subject) => {
    test(`PRX-266, PRX-267: ${RESTARTS} times the proxy dies with its process, then all of Fairlead: no call fails`, async (t) => {
      const load = await begin(t, subject(), PER_SECOND);
      for (let count = 1; count <= RESTARTS; count += 1) {
        const one = await childOf(subject().fairlead, "site");
        await endAll([one], "SIGKILL");
        await until("a new site whose proxy carries", async () => {
          const next = await childOf(subject().fairlead, "site");
          const answer = await subject().inside("curl", "-s", "--max-time", "1", "http://127.0.0.1:10256/healthz");
          return next.pid !== one.pid && /"IPv4":\{"lastUpdated"/.test(answer);
        });
        await unfailed(`death ${count} of the site`, load);
        await endAll(await processesOf(subject().fairlead), "SIGKILL");
        await load.more(500);
        await subject().again();
        await unfailed(`death ${count} of all`, load);
      }
      held(`${RESTARTS} deaths of the site and of all`, PER_SECOND, await load.end());
    });

    test(`${UNRELATED} unrelated Services appear and go: no call fails`, async (t) => {
      const load = await begin(t, subject(), PER_SECOND);
      const unrelated = Array.from({ length: UNRELATED }, (_, index): Service => ({
        apiVersion: "v1",
        kind: "Service",
        metadata: { namespace: "default", name: `unrelated-${index}` },
        spec: { selector: { app: "none" }, ports: [{ port: 80 }] },
      }));
      await withClient(subject().fairlead.data, async (client) => {
        const inTens = async (act: (one: Service) => Promise<unknown>): Promise<void> => {
          for (let from = 0; from < UNRELATED; from += 10) await Promise.all(unrelated.slice(from, from + 10).map(act));
        };
        await inTens((one) => client.create<Service>(services, one));
        const { clusterIP } = (await client.get<Service>(services, { namespace: "default", name: "unrelated-999" }))
          .spec!;
        const rules = (): Promise<string> => subject().inside("nft", "list", "table", "ip", "fairlead");
        await until("the last of them to be in the kernel", async () => (await rules()).includes(clusterIP!), {
          seconds: 60,
          every: 500,
        });
        await unfailed("while they are there", load);
        await inTens(({ metadata }) => client.delete(services, { namespace: "default", name: metadata.name! }));
        await until("the last of them to be gone", async () => !(await rules()).includes(clusterIP!), {
          seconds: 60,
          every: 500,
        });
      });
      await unfailed("after they are gone", load);
      held(`${UNRELATED} unrelated Services`, PER_SECOND, await load.end());
    });

    test(`${SCALES} times from three pods to six and to one: no call fails`, async (t) => {
      const load = await begin(t, subject(), PER_SECOND);
      for (let count = 1; count <= SCALES; count += 1) {
        for (const replicas of [6, 1, 3]) {
          await subject().scale(replicas);
          await unfailed(`${replicas} pods, time ${count}`, load);
        }
      }
      held(`scaled ${SCALES} times to 6, 1 and 3`, PER_SECOND, await load.end());
    });

    test(`PRX-170: ${SWITCHES} times from nftables to iptables and back, with a rollout on the way: no call fails`, async (t) => {
      const load = await begin(t, subject(), PER_SECOND);
      for (let count = 1; count <= SWITCHES; count += 1) {
        for (const [from, to] of [
          ["nftables", "iptables"],
          ["iptables", "nftables"],
        ] as const) {
          await Promise.all([subject().switchTo(to), subject().rollout(`${to}-${count}`)]);
          const words = from === "nftables" ? ["nft", "list", "tables"] : ["iptables-save"];
          await until(
            `what ${from} left to be gone`,
            async () => !TRACES[from].test(await subject().inside(...words)),
            {
              seconds: 90,
              every: 200,
            },
          );
          await unfailed(`${from} → ${to}, time ${count}`, load);
        }
      }
      held(`${SWITCHES} times to iptables and back, with rollouts`, PER_SECOND, await load.end());
    });
  });
});

describe("iptables, and userspace at the rate it carries", () => {
  site("iptables", (subject) => {
    test(`${ROLLOUTS} rollouts in iptables at ${PER_SECOND} new connections a second: no call fails`, async (t) => {
      const load = await begin(t, subject(), PER_SECOND);
      for (let count = 1; count <= ROLLOUTS; count += 1) {
        await subject().rollout(`iptables-${count}`);
        await unfailed(`rollout ${count}`, load);
      }
      held(`${ROLLOUTS} rollouts in iptables`, PER_SECOND, await load.end());
    });

    test(`PRX-266, PRX-267: in iptables all of Fairlead dies and comes back: no call fails`, async (t) => {
      const load = await begin(t, subject(), PER_SECOND);
      await endAll(await processesOf(subject().fairlead), "SIGKILL");
      await load.more(500);
      await subject().again();
      await unfailed("after the death of all", load);
      held("a death of all in iptables", PER_SECOND, await load.end());
    });

    test(`${ROLLOUTS} rollouts in userspace, and the way there and back: no call fails`, async (t) => {
      await subject().switchTo("userspace");
      await until(
        "what iptables left to be gone",
        async () => !TRACES.iptables.test(await subject().inside("iptables-save")),
        {
          seconds: 90,
          every: 200,
        },
      );
      const perSecond = await carriedRate(subject());
      await subject().switchTo("iptables");
      const load = await begin(t, subject(), perSecond);
      await subject().switchTo("userspace");
      await unfailed("iptables → userspace", load);
      for (let count = 1; count <= ROLLOUTS; count += 1) {
        await subject().rollout(`userspace-${count}`);
        await unfailed(`rollout ${count}`, load);
      }
      await subject().switchTo("iptables");
      await unfailed("userspace → iptables", load);
      held(`${ROLLOUTS} rollouts in userspace, and the way there and back`, perSecond, await load.end());
    });
  });
});
