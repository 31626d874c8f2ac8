import assert from "node:assert/strict";
import type { Deployment, Node } from "../../src/api/generated/types.ts";
import { deployments, nodes } from "../../src/api/resources.ts";
import type { ProxyMode } from "../../src/proxy/engine.ts";
import { bringUp, FAIRLEAD, type Fairlead } from "../lab/fairlead.ts";
import { intoNetwork, withClient } from "../lab/inside.ts";
import type { LabHost } from "../lab/lab.ts";
import { startSteadyLoad, type SteadyLoad, type SteadySeen } from "../lab/steady-load.ts";
import { until } from "../lab/until.ts";
import { manifest, service } from "./fixtures.ts";
import { smallServer } from "./small-server.ts";

const ADDRESS = "10.96.100.1";
const WEB = { namespace: "default", name: "web" };
const READ_BACK = { seconds: 90, every: 200 };

/** A private site whose one Deployment `web` is called through its Service at a steady rate. */
export interface UnderLoad {
  readonly fairlead: Fairlead;
  load(perSecond: number): Promise<SteadyLoad>;
  /** A new version of the Deployment, until nothing of the one before is left. */
  rollout(version: string): Promise<void>;
  /** Another number of pods, until they are all there, or gone. */
  scale(replicas: number): Promise<void>;
  /** Asks for another mode, until it carries. */
  switchTo(mode: ProxyMode): Promise<void>;
  /** What the node's own programs see: `nft list tables` and the like. */
  inside(...words: string[]): Promise<string>;
  /** `fairlead up` once more in the same data directory. */
  again(): Promise<void>;
  end(): Promise<void>;
}

/** Brings it up in a mode, with three pods that end as servers should. */
export async function underLoad(host: LabHost, mode: ProxyMode): Promise<UnderLoad> {
  const flags = ["--private", "--proxy-mode", mode];
  let fairlead = await bringUp(host, {
    flags,
    files: [manifest(host, `web-${mode}.yaml`, [service("web", { clusterIP: ADDRESS }), smallServer(3)])],
  });
  const into = intoNetwork(host, fairlead.data, false);
  const inside = async (...words: string[]): Promise<string> => {
    const [command, ...args] = [...into, ...words];
    return (await host.run(command!, args)).stdout;
  };
  const complete = (what: string): Promise<unknown> =>
    until(
      what,
      async () => {
        const { metadata, spec, status } = await withClient(fairlead.data, (client) =>
          client.get<Deployment>(deployments, WEB),
        );
        const wanted = spec?.replicas;
        return (
          status?.observedGeneration === metadata.generation &&
          (status?.updatedReplicas ?? 0) === wanted &&
          (status?.availableReplicas ?? 0) === wanted &&
          (status?.replicas ?? 0) === wanted
        );
      },
      READ_BACK,
    );
  const change = (spec: object): Promise<unknown> =>
    withClient(fairlead.data, (client) => client.patch<Deployment>(deployments, WEB, "strategic", { spec }));
  await complete("the Deployment to be complete");
  await until(
    "the Service to answer",
    async () => (await inside("curl", "-sf", "--max-time", "2", `http://${ADDRESS}/`)) !== "",
  );

  return {
    get fairlead() {
      return fairlead;
    },
    load: (perSecond) => startSteadyLoad(host, into, { ip: ADDRESS, port: 80, perSecond }),
    inside,
    async rollout(version) {
      await change({
        template: { spec: { containers: [{ name: "web", env: [{ name: "VERSION", value: version }] }] } },
      });
      await complete(`the rollout of ${version}`);
    },
    async scale(replicas) {
      await change({ replicas });
      await complete(`${replicas} replicas`);
    },
    async switchTo(wished) {
      await withClient(fairlead.data, async (client) => {
        const name = (await client.list<Node>(nodes)).items[0]!.metadata.name!;
        const annotations = { "fairlead.dev/proxy-mode": wished };
        await client.patch<Node>(nodes, { name }, "merge", { metadata: { annotations } });
      });
      const status = ["env", "HOME=/tmp", FAIRLEAD, "status", "--data", fairlead.data, "-o", "json"] as const;
      const [command, ...args] = status;
      await until(
        `${wished} to carry`,
        async () =>
          (JSON.parse((await host.check(command, args)).stdout) as { proxyMode: string }).proxyMode === wished,
        READ_BACK,
      );
    },
    async again() {
      fairlead = await bringUp(host, { flags, data: fairlead.data });
    },
    async end() {
      await fairlead.end();
    },
  };
}

/** Milliseconds that a call may begin after its time; with more the load is a heap of calls and not a rate. */
const LATE = 1_000;

/** Throws where a call failed, or where the load was not what it was to be and so says nothing. */
export function unfailed(what: string, { failed, failures, late }: SteadySeen): void {
  const isVoid = late > LATE ? `void, the load was ${late} ms late; ` : "";
  assert.equal(failed, 0, `${what}: ${isVoid}${failed} calls failed: ${failures.join("; ")}`);
}

/** Says what a load has seen, and holds it to what was promised: no call failed, at the rate that was asked for. */
export function held(what: string, perSecond: number, seen: SteadySeen): void {
  console.log(
    `${what}: ${seen.answered} calls from 16 addresses, ${seen.failed} failed, ${seen.rate} a second, at most ${seen.late} ms late, the longest ${seen.longest} ms, ${seen.most} at once`,
  );
  unfailed(what, seen);
  assert.ok(seen.rate >= perSecond * 0.98, `${what}: void, the load fell behind: ${seen.rate} calls a second`);
}
