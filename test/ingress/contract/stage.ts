import { after, before, describe, test, type TestContext } from "node:test";
import { startBackends, type Backends, type LabPod } from "../lab/backends.ts";
import { createCertificate, type Pair } from "../lab/certificates.ts";
import { ask, type Answered, type Asking } from "../lab/clients.ts";
import { createCluster, type Cluster, type IngressChoices } from "../lab/cluster.ts";
import { openDoor, type Door, type EngineSubject } from "../lab/door.ts";
import { createLabPlanner, type LabPlanner } from "../lab/planner.ts";

/** A host with one Ingress, one Service and its pods, as most tests want one. */
export interface Site {
  /** Also the name of its Ingress and of its Service, before the dot. */
  readonly host: string;
  readonly name: string;
  readonly pods: readonly LabPod[];
  readonly ask: (asking?: Asking) => Promise<Answered>;
  readonly askTls: (asking?: Asking) => Promise<Answered>;
  /** Other annotations (of ingress-nginx, by their short names) from now on. */
  readonly annotate: (nginx: Readonly<Record<string, string>>) => Promise<void>;
  /** Other pods from now on. */
  readonly endpoints: (pods: Parameters<Cluster["endpoints"]>[1]) => Promise<void>;
}

export interface SiteChoices extends Omit<IngressChoices, "paths"> {
  /** The first so many of the stage's own, or others. */
  readonly pods?: number | readonly LabPod[];
  /** Paths of this host, to its own Service; `/` unless given. */
  readonly paths?: readonly { readonly path: string; readonly type?: "Exact" | "Prefix" | "ImplementationSpecific" }[];
  readonly host?: string;
}

/** A door, a cluster behind it, and pods. */
export interface Stage {
  readonly subject: EngineSubject;
  readonly door: Door;
  readonly lab: Backends;
  readonly cluster: Cluster;
  readonly planner: LabPlanner;
  /** Three pods that are there all the time. */
  readonly pods: readonly LabPod[];
  /** Of the controller: what is shown where no certificate is given; `fallback.test`. */
  readonly fallback: Pair;
  /** A name that no other test has. */
  readonly name: (prefix?: string) => string;
  /** Carries what the cluster says now. */
  readonly follow: () => Promise<void>;
  readonly site: (choices?: SiteChoices) => Promise<Site>;
  readonly ask: (asking: Asking) => Promise<Answered>;
  readonly askTls: (asking: Asking) => Promise<Answered>;
}

type Body = (stage: Stage, t: TestContext) => Promise<void>;
export type Add = (name: string, body: Body) => void;

let fallback: Promise<Pair> | undefined;

/** Tests of one subject with a door of their own. Their names say on which engine they ran. */
export function onStage(subject: EngineSubject, about: string, tests: (add: Add) => void): void {
  describe(`${subject.name}: ${about}`, { skip: subject.missing ?? false }, () => {
    let stage: Stage | undefined;
    before(async () => void (stage = await openStage(subject)));
    after(async () => {
      await stage?.door.stop();
      await stage?.lab.end();
    });
    tests((name, body) => {
      test(`${subject.name}: ${name}`, { timeout: 60_000 }, async (t) => body(stage!, t));
    });
  });
}

async function openStage(subject: EngineSubject): Promise<Stage> {
  fallback ??= createCertificate(["fallback.test"]);
  const [lab, own] = await Promise.all([startBackends(), fallback]);
  try {
    return await setStage(subject, lab, own);
  } catch (error) {
    await lab.end();
    throw error;
  }
}

async function setStage(subject: EngineSubject, lab: Backends, own: Pair): Promise<Stage> {
  const pods = await lab.pods(3);
  const cluster = createCluster();
  const planner = createLabPlanner(own);
  const door = await openDoor(subject);
  const follow = async (): Promise<void> => door.carry(planner.plan(cluster));
  await follow();
  let names = 0;
  const name = (prefix = "site"): string => {
    names += 1;
    return `${prefix}-${names}`;
  };
  const site = async (choices: SiteChoices = {}): Promise<Site> => {
    const { pods: wanted = 1, paths = [{ path: "/" }], ...others } = choices;
    const own = name();
    const host = choices.host ?? `${own}.test`;
    const chosen = typeof wanted === "number" ? pods.slice(0, wanted) : wanted;
    cluster.service(own, chosen);
    const write = (nginx: Readonly<Record<string, string>> | undefined): void =>
      void cluster.ingress(own, {
        ...others,
        ...(nginx === undefined ? {} : { nginx }),
        paths: paths.map((path) => ({ host, service: own, ...path })),
      });
    write(choices.nginx);
    await follow();
    return {
      host,
      name: own,
      pods: chosen,
      ask: async (asking) => ask(door.plain, { host, ...asking }),
      askTls: async (asking) => ask(door.secure, { host, ...asking }),
      async annotate(nginx) {
        write(nginx);
        await follow();
      },
      async endpoints(others) {
        cluster.endpoints(own, others);
        await follow();
      },
    };
  };
  return {
    subject,
    door,
    lab,
    cluster,
    planner,
    pods,
    fallback: own,
    name,
    follow,
    site,
    ask: async (asking) => ask(door.plain, asking),
    askTls: async (asking) => ask(door.secure, asking),
  };
}
