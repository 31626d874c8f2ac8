import type { TestContext } from "node:test";
import type { Event, Ingress, Lease, Namespace, Secret } from "../../src/api/generated/types.ts";
import { kinds } from "../../src/api/kinds.ts";
import type { KubeObject } from "../../src/api/object.ts";
import {
  configMaps,
  endpointSlices,
  events,
  ingressClasses,
  ingresses,
  leases,
  namespaces,
  secrets,
  services,
} from "../../src/api/resources.ts";
import { isApiError } from "../../src/api/status.ts";
import { createApiServer, type ApiServerOptions } from "../../src/apiserver/server.ts";
import type { Client } from "../../src/client/client.ts";
import { createClient } from "../../src/client/connect.ts";
import type { IngressEngine } from "../../src/ingress/engine.ts";
import { startIngress, type IngressController, type IngressOptions } from "../../src/ingress/ingress.ts";
import type { IngressPlan } from "../../src/ingress/plan/plan.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog, type Log } from "../../src/observe/log.ts";
import { memoryStore } from "../../src/store/memory/memory.ts";
import { makeCertificates } from "../client/certificates.ts";
import { CONTROLLER, ingressClass } from "./plan-examples.ts";

/** Carries nothing, and remembers what it was to carry. */
export class RecordingEngine implements IngressEngine {
  readonly name = "builtin";
  readonly listening = [];
  readonly failed = new Promise<never>(() => {});
  readonly plans: IngressPlan[] = [];
  /** How many of the next plans are refused. */
  refuses = 0;
  /** Plans that are being carried at this moment; what is awaited before one is. */
  underWay = 0;
  most = 0;
  until: Promise<void> = Promise.resolve();

  async apply(plan: IngressPlan): Promise<void> {
    this.underWay += 1;
    this.most = Math.max(this.most, this.underWay);
    await this.until;
    this.underWay -= 1;
    if (this.refuses > 0) {
      this.refuses -= 1;
      throw new Error("the engine is told to refuse");
    }
    this.plans.push(plan);
  }

  get plan(): IngressPlan | undefined {
    return this.plans.at(-1);
  }

  async stop(): Promise<void> {}
}

const RESOURCES = {
  Service: services,
  EndpointSlice: endpointSlices,
  Ingress: ingresses,
  IngressClass: ingressClasses,
  Secret: secrets,
  ConfigMap: configMaps,
  Lease: leases,
} as const;
const resourceOf = ({ kind }: KubeObject) => RESOURCES[kind as keyof typeof RESOURCES];

export interface Started {
  readonly controller: IngressController;
  readonly engine: RecordingEngine;
  /** Warnings and errors of its log. */
  readonly complaints: string[];
}

export interface ControllerWorld {
  readonly client: Client;
  /** Makes objects as they are, or changes them to what they are given as. */
  put(...objects: readonly KubeObject[]): Promise<void>;
  remove(object: KubeObject): Promise<void>;
  ingress(name: string): Promise<Ingress>;
  lease(): Promise<Lease>;
  /** `reason message` of the events about an Ingress. */
  told(name: string): Promise<string[]>;
  start(over?: Partial<IngressOptions>, through?: (client: Client) => Client): Promise<Started>;
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
}

/** An API server with namespaces and our class, and as many controllers as are started. */
export async function controllerWorld(
  t: TestContext,
  ofServer: Partial<ApiServerOptions> = {},
): Promise<ControllerWorld> {
  const certificates = await makeCertificates();
  const store = memoryStore();
  const newServer = () =>
    createApiServer({
      store,
      kinds,
      tls: certificates,
      tokens: [() => ({ user: "test", groups: ["system:masters"] })],
      ...ofServer,
    });
  let server = await newServer();
  const port = await server.listen({ host: "127.0.0.1", port: 0 });
  const newClient = (): Client =>
    createClient({ server: `https://127.0.0.1:${port}`, ca: certificates.ca, token: "test" });
  const client = newClient();
  const endings: (() => Promise<void> | void)[] = [];
  t.after(async () => {
    for (const end of endings.reverse()) await end();
    client.close();
    await server.close();
  });

  const putOne = async (object: KubeObject): Promise<void> => {
    const { namespace, name = "" } = object.metadata;
    try {
      const was = await client.get(resourceOf(object), { namespace, name });
      const { uid, resourceVersion, creationTimestamp } = was.metadata;
      const metadata = { ...object.metadata, uid, resourceVersion, creationTimestamp };
      await client.update(resourceOf(object), { ...was, ...object, metadata });
    } catch (error) {
      // The controller writes status meanwhile.
      if (isApiError(error, "Conflict")) return putOne(object);
      if (!isApiError(error, "NotFound")) throw error;
      // The server gives these.
      const metadata = { ...object.metadata, uid: undefined, creationTimestamp: undefined };
      await client.create(resourceOf(object), { ...object, metadata });
    }
  };
  const put = async (...objects: readonly KubeObject[]): Promise<void> => {
    for (const object of objects) await putOne(object);
  };
  for (const name of ["default", "kube-system"]) {
    const namespace: Namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
    await client.create(namespaces, namespace);
  }
  await put(ingressClass("fairlead"));

  return {
    client,
    put,
    async remove(object) {
      const { namespace, name = "" } = object.metadata;
      await client.delete(resourceOf(object), { namespace, name });
    },
    ingress: (name) => client.get<Ingress>(ingresses, { namespace: "default", name }),
    lease: () => client.get<Lease>(leases, { namespace: "kube-system", name: "fairlead-ingress" }),
    async told(name) {
      const { items } = await client.list<Event>(events, { fieldSelector: `involvedObject.name=${name}` });
      return items.map(({ reason, message }) => `${reason} ${message}`).sort();
    },
    async start(over = {}, through = (given) => given) {
      const engine = new RecordingEngine();
      const complaints: string[] = [];
      const complain = (facts: object, message: string): void =>
        void complaints.push(`${message} ${JSON.stringify(facts)}`);
      const log: Log = { ...silentLog, warn: complain, error: complain, child: () => log };
      const own = newClient();
      const controller = startIngress({
        client: through(own),
        clock: systemClock,
        random: Math.random,
        log,
        engine,
        controller: CONTROLLER,
        withoutClass: false,
        namespace: undefined,
        exposure: { addresses: ["192.0.2.10"] },
        defaultBackend: undefined,
        defaultCertificate: undefined,
        cookieSecret: "kube-system/fairlead-ingress-cookie",
        identity: `replica-${endings.length}`,
        ...over,
      });
      endings.push(async () => {
        await controller.stop();
        own.close();
      });
      await controller.ready;
      return { controller, engine, complaints };
    },
    async stopServer() {
      await server.close();
    },
    async startServer() {
      server = await newServer();
      await server.listen({ host: "127.0.0.1", port });
    },
  };
}

/** The Secret of session cookies. */
export const cookieSecret = (client: Client): Promise<Secret> =>
  client.get<Secret>(secrets, { namespace: "kube-system", name: "fairlead-ingress-cookie" });
