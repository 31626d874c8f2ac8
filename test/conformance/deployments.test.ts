import assert from "node:assert/strict";
import { test } from "node:test";
import type { Deployment, DeploymentStatus, Pod, ReplicaSet } from "../../src/api/generated/types.ts";
import { deployments, pods, replicaSets } from "../../src/api/resources.ts";
import { createClient } from "../../src/client/connect.ts";
import { playNode } from "../controllers/played-node.ts";
import { until } from "../lab/until.ts";
import { startSubject } from "./subject.ts";

/*
 * One Deployment on its way through a rollout that is stopped half-way, a pause, scaling, a return and `Recreate`: at each place where it
 * comes to rest, all that it and its ReplicaSets say, as the real kube-controller-manager has it.
 */

const REVISION = "deployment.kubernetes.io/revision";
const AT = { namespace: "default", name: "web" };

const template = (image: string) => ({
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "c", image }] },
});

/** `desired/max revision [history] replicas ready available`, by image. */
function summaryOf({ metadata, spec, status }: ReplicaSet): [string, string] {
  const { annotations = {} } = metadata;
  const said = ["desired-replicas", "max-replicas", "revision", "revision-history"].map(
    (name) => annotations[`deployment.kubernetes.io/${name}`],
  );
  const counts = [spec?.replicas, status?.replicas, status?.readyReplicas ?? 0, status?.availableReplicas ?? 0];
  const seen = metadata.generation === status?.observedGeneration;
  const image = spec?.template?.spec?.containers[0]?.image ?? "";
  return [
    image,
    `${said[0]}/${said[1]} r${said[2]}${said[3] ? ` [${said[3]}]` : ""} ${counts.join(" ")}${seen ? "" : " …"}`,
  ];
}

const conditionsOf = (status: DeploymentStatus = {}): Record<string, string> =>
  Object.fromEntries(
    (status.conditions ?? []).map(({ type, status: is, reason, message }) => [
      type,
      `${is} ${reason}: ${(message ?? "").replace(/web-[a-z0-9]+/, "web-HASH")}`,
    ]),
  );

void test("CTL-124, CTL-129: what a Deployment and its ReplicaSets say, from creation to Recreate", async (t) => {
  const subject = await startSubject({ controllers: true });
  t.after(() => subject.close());
  const client = createClient({ server: `https://127.0.0.1:${subject.port}`, ca: subject.ca, ...subject.admin });
  t.after(() => client.close());
  const node = await playNode(t, client, { unbound: true });
  const read = (): Promise<Deployment> => client.get<Deployment>(deployments, AT);
  const patch = (spec: object): Promise<Deployment> => client.patch(deployments, AT, "strategic", { spec });
  const rests = async (what: string, expected: object): Promise<void> => {
    let shown: object = {};
    const looks = async (): Promise<boolean> => {
      const { metadata, status } = await read();
      const { conditions: _, observedGeneration, ...counts } = status ?? {};
      shown = {
        revision: metadata.annotations?.[REVISION],
        counts,
        conditions: conditionsOf(status),
        sets: Object.fromEntries((await client.list<ReplicaSet>(replicaSets)).items.map(summaryOf)),
        pods: (await client.list<Pod>(pods)).items.length,
      };
      try {
        assert.deepEqual(shown, expected);
      } catch {
        return false;
      }
      return observedGeneration === metadata.generation;
    };
    await until(what, looks).catch(() => assert.deepEqual(shown, expected, what));
  };
  const enough = "True MinimumReplicasAvailable: Deployment has minimum availability.";
  const progressed = 'True NewReplicaSetAvailable: ReplicaSet "web-HASH" has successfully progressed.';

  await client.create<Deployment>(deployments, {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: AT,
    spec: { replicas: 10, selector: { matchLabels: { app: "web" } }, template: template("one") },
  });
  const counted = (count: number) => ({
    availableReplicas: count,
    readyReplicas: count,
    replicas: count,
    terminatingReplicas: 0,
    updatedReplicas: count,
  });
  await rests("it is made", {
    revision: "1",
    counts: counted(10),
    conditions: { Available: enough, Progressing: progressed },
    sets: { one: "10/13 r1 10 10 10 10" },
    pods: 10,
  });

  node.turnReady(() => false);
  await patch({ template: template("two") });
  const half = {
    revision: "2",
    counts: {
      availableReplicas: 8,
      readyReplicas: 8,
      replicas: 13,
      terminatingReplicas: 0,
      unavailableReplicas: 5,
      updatedReplicas: 5,
    },
    conditions: { Available: enough, Progressing: 'True ReplicaSetUpdated: ReplicaSet "web-HASH" is progressing.' },
    sets: { one: "10/13 r1 8 8 8 8", two: "10/13 r2 5 5 0 0" },
    pods: 13,
  };
  await rests("it is half-way", half);

  await patch({ paused: true });
  const conditions = { Available: enough, Progressing: "Unknown DeploymentPaused: Deployment is paused" };
  await rests("it is paused", { ...half, conditions });

  await patch({ replicas: 20 });
  await rests("it is scaled while it is paused", {
    revision: "2",
    counts: {
      availableReplicas: 8,
      readyReplicas: 8,
      replicas: 25,
      terminatingReplicas: 0,
      unavailableReplicas: 17,
      updatedReplicas: 10,
    },
    conditions: {
      Available: "False MinimumReplicasUnavailable: Deployment does not have minimum availability.",
      Progressing: "Unknown DeploymentPaused: Deployment is paused",
    },
    sets: { one: "20/25 r1 15 15 8 8", two: "20/25 r2 10 10 0 0" },
    pods: 25,
  });

  node.turnReady(() => true);
  await patch({ paused: false });
  await rests("it has gone on to its end", {
    revision: "2",
    counts: counted(20),
    conditions: { Available: enough, Progressing: progressed },
    sets: { one: "20/25 r1 0 0 0 0", two: "20/25 r2 20 20 20 20" },
    pods: 20,
  });

  await patch({ template: template("one"), minReadySeconds: 1 });
  await rests("it has returned", {
    revision: "3",
    counts: counted(20),
    conditions: { Available: enough, Progressing: progressed },
    sets: { one: "20/25 r3 [1] 20 20 20 20", two: "20/25 r2 0 0 0 0" },
    pods: 20,
  });

  await patch({ replicas: 0 });
  await rests("it is nothing", {
    revision: "3",
    counts: { terminatingReplicas: 0 },
    conditions: { Available: enough, Progressing: progressed },
    sets: { one: "0/0 r3 [1] 0 0 0 0", two: "20/25 r2 0 0 0 0" },
    pods: 0,
  });

  await patch({ replicas: 2, minReadySeconds: 0, strategy: { type: "Recreate", rollingUpdate: null } });
  const two = { Available: enough, Progressing: progressed };
  await rests("it is two", {
    revision: "3",
    counts: counted(2),
    conditions: two,
    sets: { one: "2/2 r3 [1] 2 2 2 2", two: "20/25 r2 0 0 0 0" },
    pods: 2,
  });

  await patch({ template: template("three") });
  await rests("it is recreated", {
    revision: "4",
    counts: counted(2),
    conditions: two,
    sets: { one: "2/2 r3 [1] 0 0 0 0", two: "20/25 r2 0 0 0 0", three: "2/2 r4 2 2 2 2" },
    pods: 2,
  });
});
