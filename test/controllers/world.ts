import type { TestContext } from "node:test";
import type { Namespace, Node, Pod, Service } from "../../src/api/generated/types.ts";
import { kinds } from "../../src/api/kinds.ts";
import { namespaces, nodes, pods, services } from "../../src/api/resources.ts";
import type { ApiServerOptions } from "../../src/apiserver/server.ts";
import { createApiServer } from "../../src/apiserver/server.ts";
import type { Client } from "../../src/client/client.ts";
import { createClient } from "../../src/client/connect.ts";
import { startControllers } from "../../src/controllers/start.ts";
import type { Clock } from "../../src/observe/clock.ts";
import { systemClock } from "../../src/observe/clock.ts";
import type { Log } from "../../src/observe/log.ts";
import { silentLog } from "../../src/observe/log.ts";
import { memoryStore } from "../../src/store/memory/memory.ts";
import { makeCertificates } from "../client/certificates.ts";

export interface World {
  readonly client: Client;
  /** Where the server is, and who `client` is. */
  readonly access: { readonly port: number; readonly ca: string; readonly token: string };
  /** Sentences that the controllers logged as warnings or errors. */
  readonly complaints: string[];
  readonly restartControllers: () => Promise<void>;
  /** Another server on the same store and port. */
  readonly restartServer: () => Promise<void>;
}

/** An API server on a store in memory, with namespace `default`, one node and the controllers. */
export async function createWorld(
  t: TestContext,
  clock: Clock = systemClock,
  options: Partial<ApiServerOptions> = {},
): Promise<World> {
  const certificates = await makeCertificates();
  const store = memoryStore();
  const newServer = () =>
    createApiServer({
      store,
      kinds,
      tls: certificates,
      tokens: [() => ({ user: "test", groups: ["system:masters"] })],
      ...options,
    });
  let server = await newServer();
  const port = await server.listen({ host: "127.0.0.1", port: 0 });
  const newClient = (): Client =>
    createClient({ server: `https://127.0.0.1:${port}`, ca: certificates.ca, token: "test" });
  const client = newClient();
  const ofControllers = newClient();
  const complaints: string[] = [];
  const complain = (facts: object, message: string): void =>
    void complaints.push(`${message} ${JSON.stringify(facts)}`);
  const log: Log = { ...silentLog, warn: complain, error: complain, child: () => log };
  const namespace: Namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "default" } };
  await client.create(namespaces, namespace);
  await client.create(nodes, nodeOf("node-1"));
  await client.updateStatus(nodes, await readyNode(client, "node-1"));
  const start = () => startControllers({ client: ofControllers, clock, random: Math.random, log });
  let controllers = await start();
  t.after(async () => {
    await controllers.stop();
    client.close();
    ofControllers.close();
    await server.close();
  });
  return {
    client,
    access: { port, ca: certificates.ca, token: "test" },
    complaints,
    restartControllers: async () => {
      await controllers.stop();
      controllers = await start();
    },
    restartServer: async () => {
      await server.close();
      server = await newServer();
      await server.listen({ host: "127.0.0.1", port });
    },
  };
}

const nodeOf = (name: string): Node => ({ apiVersion: "v1", kind: "Node", metadata: { name } });

async function readyNode(client: Client, name: string): Promise<Node> {
  const node = await client.get<Node>(nodes, { name });
  return { ...node, status: { conditions: [{ type: "Ready", status: "True" }] } };
}

export async function addNode(client: Client, name: string): Promise<void> {
  await client.create(nodes, nodeOf(name));
  await client.updateStatus(nodes, await readyNode(client, name));
}

export async function addPod(
  client: Client,
  name: string,
  labels: Record<string, string>,
  more: Partial<NonNullable<Pod["spec"]>> = {},
): Promise<Pod> {
  return client.create<Pod>(pods, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace: "default", name, labels },
    spec: {
      containers: [{ name: "c", image: "none", ports: [{ name: "web", containerPort: 8080 }] }],
      ...more,
    },
  });
}

/** Does what a node does: gives the pod its address and says that it is ready, or not. */
export async function runPod(client: Client, name: string, ip: string, ready = true): Promise<void> {
  await client.patch(
    pods,
    { namespace: "default", name },
    "merge",
    {
      status: {
        phase: "Running",
        podIP: ip,
        podIPs: [{ ip }],
        conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
      },
    },
    { subresource: "status" },
  );
}

export async function addService(client: Client, name: string, selector: Record<string, string>): Promise<Service> {
  return client.create<Service>(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "default", name },
    spec: { selector, clusterIP: "None", ipFamilies: ["IPv4"], ports: [{ port: 80, targetPort: "web" }] },
  });
}

/** Asks until the answer satisfies; fails after 10 s with the last answer. */
export async function eventually<T>(what: string, ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`waited 10 s in vain for ${what}; last: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
