import type { Agent } from "node:http";
import { tokensOf } from "../../../src/ingress/affinity/token.ts";
import { annotationsOf } from "../../../src/ingress/annotations/read.ts";
import { createPlanner, type Planner } from "../../../src/ingress/plan/planner.ts";
import { startBackends, type LabPod } from "../lab/backends.ts";
import { createCertificate } from "../lab/certificates.ts";
import { ask, keptAgent } from "../lab/clients.ts";
import { CONTROLLER, createCluster } from "../lab/cluster.ts";
import { openDoor, type Door, type EngineSubject } from "../lab/door.ts";
import { cookieKeys } from "../plans.ts";
import { TOGETHER, type DoorName } from "./clients.ts";
import type { SessionStage } from "./story.ts";

const HOST = "sessions.test";
const SERVICE = "web";
/** Milliseconds that what is under way at a door has when it is shut. */
const DRAIN = 20_000;

interface Opened {
  readonly door: Door;
  readonly agent: Agent;
}

/** Sessions over HTTP: real pods behind two doors. The first can be one of the second engine, too. */
export async function engineStage(
  mode: "balanced" | "persistent",
  subject: EngineSubject,
  other: EngineSubject | undefined,
): Promise<SessionStage & { close(): Promise<void> }> {
  const [lab, fallback] = await Promise.all([startBackends(), createCertificate(["fallback.test"])]);
  const cluster = createCluster();
  cluster.service(SERVICE, []);
  cluster.ingress(SERVICE, {
    nginx: { affinity: "cookie", "affinity-mode": mode },
    paths: [{ host: HOST, service: SERVICE }],
  });
  const plannerWith = (...seeds: readonly number[]): Planner =>
    createPlanner({
      annotations: annotationsOf,
      tokensOf: tokensOf(cookieKeys(...seeds)),
      controller: CONTROLLER,
      withoutClass: false,
      defaultBackend: undefined,
      defaultCertificate: undefined,
      spareCertificate: { secret: "", chain: fallback.certificate, key: fallback.key },
    });
  let planner = plannerWith(1);
  let { plan } = planner.plan(cluster.view, "everything");
  cluster.changes();

  const opened = async (engine: EngineSubject): Promise<Opened> => {
    const door = await openDoor(engine);
    await door.carry(plan);
    return { door, agent: keptAgent(door.plain, TOGETHER) };
  };
  const shut = async ({ door, agent }: Opened): Promise<void> => {
    await door.stop(DRAIN);
    agent.destroy();
  };
  let current = subject;
  const doors: Record<DoorName, Opened> = { first: await opened(subject), second: await opened(subject) };
  const inPlaceOfFirst = async (engine: EngineSubject): Promise<void> => {
    const before = doors.first;
    doors.first = await opened(engine);
    await shut(before);
  };
  const pods = new Map<string, LabPod>();
  const carry = async (): Promise<void> =>
    void (await Promise.all(Object.values(doors).map(async ({ door }) => door.carry(plan))));

  return {
    async open(address) {
      const pod = await lab.pod(address === undefined ? {} : { address });
      pods.set(pod.uid, pod);
      return pod;
    },
    async carry(next) {
      await lab.forget();
      cluster.endpoints(
        SERVICE,
        next.map(({ pod: { uid }, isDraining = false }) =>
          isDraining ? { ...pods.get(uid)!, terminating: true, serving: true } : pods.get(uid)!,
        ),
      );
      ({ plan } = planner.plan(cluster.view, cluster.changes()));
      await carry();
    },
    end: async ({ uid }) => pods.get(uid)!.end(),
    async rotate(seeds) {
      planner = plannerWith(...seeds);
      ({ plan } = planner.plan(cluster.view, "everything"));
      await carry();
    },
    restart: async () => inPlaceOfFirst(current),
    ...(other === undefined
      ? {}
      : {
          async switchEngine() {
            current = current === subject ? other : subject;
            await inPlaceOfFirst(current);
            return current.name;
          },
        }),
    async ask(cookie, name) {
      const { door, agent } = doors[name];
      const headers = cookie === undefined ? {} : { cookie };
      const answered = await ask(door.plain, { host: HOST, headers, agent }).catch((error: Error) => error.message);
      if (typeof answered === "string") return { status: answered, pod: undefined, cookie: undefined };
      const set = answered.cookies.find((each) => each.name === "INGRESSCOOKIE");
      return {
        status: answered.status,
        pod: [...pods.values()].find((pod) => pod.name === answered.pod)?.uid,
        cookie: set && `${set.name}=${set.value}`,
      };
    },
    async close() {
      await Promise.all(Object.values(doors).map(shut));
      await lab.end();
    },
  };
}
