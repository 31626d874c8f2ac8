import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { Deployment, Pod } from "../../src/api/generated/types.ts";
import { deployments, pods } from "../../src/api/resources.ts";
import { times } from "../lab/counts.ts";
import { bringUp, type Fairlead } from "../lab/fairlead.ts";
import { endAll, processesOf, recordsOf, withClient } from "../lab/inside.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { manifest, service } from "./fixtures.ts";
import { smallServer } from "./small-server.ts";

const DEATHS = times(2, 20);
const REPLICAS = 4;
const WEB = { namespace: "default", name: "web" };
/** Within this time a rollout of four pods is well under way; the moment of a death in it is left to chance. In milliseconds. */
const ROLLOUT = 1500;

/** Processes of this machine that run the pods' program. */
function programs(marker: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const isNode = readFileSync(`/proc/${pid}/comm`, "utf8").trim() !== "bwrap";
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return isNode && words[0] === "node" && words.includes(marker);
    } catch {
      return false;
    }
  });
}

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";

describe("deaths of Fairlead in the middle of a rollout", () => {
  const marker = `rollout-${randomUUID()}`;
  let lab: Lab;
  let host: LabHost;
  let fairlead: Fairlead;

  const podsOf = (): Promise<Pod[]> =>
    withClient(fairlead.data, async (client) => (await client.list<Pod>(pods, { namespace: "default" })).items);
  const setVersion = (version: string): Promise<unknown> =>
    withClient(fairlead.data, (client) =>
      client.patch(deployments, WEB, "strategic", {
        spec: { template: { spec: { containers: [{ name: "web", env: [{ name: "VERSION", value: version }] }] } } },
      }),
    );
  /** The rollout is complete, and there is nothing beside the pods that should be. */
  const whole = async (version: string): Promise<void> => {
    await until(
      `the rollout of ${version} to complete`,
      async () => {
        const { metadata, spec, status } = await withClient(fairlead.data, (client) =>
          client.get<Deployment>(deployments, WEB),
        );
        return (
          status?.observedGeneration === metadata.generation &&
          status?.updatedReplicas === spec?.replicas &&
          status?.availableReplicas === REPLICAS &&
          status.replicas === REPLICAS
        );
      },
      { seconds: 90 },
    );
    const found = await until("the old pods to go", async () => {
      const all = await podsOf();
      return all.length === REPLICAS && all.every(isReady) && all;
    });
    for (const pod of found) assert.equal(pod.spec?.containers[0]?.env?.[0]?.value, version);
    const uids = found.map(({ metadata }) => metadata.uid ?? "").toSorted((one, other) => (one < other ? -1 : 1));
    await until("no record of another pod", () => recordsOf(fairlead.data).length === REPLICAS);
    assert.deepEqual(
      recordsOf(fairlead.data)
        .map(({ uid }) => uid)
        .sort(),
      uids,
      "no pod is lost or left over",
    );
    const addresses = found.flatMap(({ status }) => (status?.podIPs ?? []).map(({ ip }) => ip));
    assert.equal(new Set(addresses).size, addresses.length, "no address is used twice");
    assert.deepEqual(
      recordsOf(fairlead.data)
        .flatMap(({ sandbox }) => sandbox.addresses)
        .sort(),
      [...addresses].sort(),
    );
    await until("no program beside those of the pods", () => programs(marker).length === REPLICAS);
    await until("no network to be left over", async () => {
      const { stdout } = await host.check("ip", ["-o", "link", "show", "type", "veth"]);
      return stdout.match(/fl[0-9a-f]{8}/g)?.length === REPLICAS;
    });
  };

  before(async () => {
    lab = await createLab();
    host = await lab.add("h1");
    fairlead = await bringUp(host, {
      files: [manifest(host, "web.yaml", [service("web", {}), smallServer(REPLICAS, marker)])],
    });
    await whole("v0");
  });
  after(async () => {
    await fairlead?.end();
    await lab?.close();
  });

  for (let count = 1; count <= DEATHS; count += 1) {
    test(`kill -9 at a moment of chance, ${count} of ${DEATHS}: the next up completes the rollout, and no pod is lost, doubled or left over`, async (t) => {
      const moment = Math.floor(Math.random() * ROLLOUT);
      t.diagnostic(`after ${moment} ms`);
      await setVersion(`v${count}`);
      await new Promise((resolve) => setTimeout(resolve, moment));
      await endAll(await processesOf(fairlead), "SIGKILL");
      fairlead = await bringUp(host, { data: fairlead.data });
      await whole(`v${count}`);
    });
  }
});
