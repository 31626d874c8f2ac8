import type { TestContext } from "node:test";
import type { Event, Job, Pod } from "../../src/api/generated/types.ts";
import { events, jobs, pods } from "../../src/api/resources.ts";
import type { Client } from "../../src/client/client.ts";
import { jumpingClock } from "./jumping-clock.ts";
import { createWorld, eventually } from "./world.ts";

type Spec = Partial<NonNullable<Job["spec"]>>;

export const AT = { namespace: "default", name: "sum" };

export async function begin(t: TestContext, spec: Spec = {}) {
  const clock = jumpingClock();
  const world = await createWorld(t, { clock });
  await world.client.create<Job>(jobs, {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: AT,
    spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "one" }] } }, ...spec },
  });
  return { ...world, clock };
}

export const read = (client: Client): Promise<Job> => client.get<Job>(jobs, AT);
export const podsOf = async (client: Client): Promise<Pod[]> => (await client.list<Pod>(pods)).items;
export const unended = async (client: Client): Promise<Pod[]> =>
  (await podsOf(client)).filter(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined && (status?.phase === "Pending" || status?.phase === "Running"),
  );
export const nameOf = ({ metadata }: Pod): string => metadata.name ?? "";
export const indexOf = ({ metadata }: Pod): string =>
  metadata.annotations?.["batch.kubernetes.io/job-completion-index"] ?? "none";

/** The node's word that the pod has ended, with this exit code. */
export async function end(client: Client, name: string, exitCode: number, now = Date.now()): Promise<void> {
  const at = { namespace: "default", name };
  const finishedAt = new Date(now).toISOString().replace(/\.\d+/, "");
  const containerStatuses = [
    {
      name: "c",
      image: "one",
      imageID: "",
      ready: false,
      restartCount: 0,
      state: { terminated: { exitCode, finishedAt } },
    },
  ];
  const status = { phase: exitCode === 0 ? "Succeeded" : "Failed", containerStatuses };
  await client.patch(pods, at, "merge", { status }, { subresource: "status" });
}

export const waitForPods = (client: Client, count: number): Promise<Pod[]> =>
  eventually(
    `${count} pods at work`,
    () => unended(client),
    (found) => found.length === count,
  );

export const conditionsOf = ({ status }: Job): Record<string, string> =>
  Object.fromEntries(
    (status?.conditions ?? []).map(({ type, status: said, reason }) => [type, `${said} ${reason ?? ""}`]),
  );
export const over = (client: Client): Promise<Job> =>
  eventually(
    "the Job to be over",
    () => read(client),
    ({ status }) =>
      status?.conditions?.some(({ type, status: said }) => said === "True" && /^(Complete|Failed)$/.test(type)) ===
      true,
  );
export const messages = async (client: Client): Promise<string[]> =>
  (await client.list<Event>(events, { namespace: "default" })).items.map(
    ({ reason, message }) => `${reason}: ${message}`,
  );
