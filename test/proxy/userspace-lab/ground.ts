import { createSocket, type Socket as Datagrams } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Endpoint, EndpointSlice, Service, ServiceSpec } from "../../../src/api/generated/types.ts";
import { systemHost } from "../../../src/host/processes.ts";
import type { NodePlan, ServicePlan } from "../../../src/proxy/plan/plan.ts";
import { Tracker } from "../../../src/proxy/plan/tracker.ts";
import { keyOf } from "../../../src/api/object.ts";
import {
  userspaceEngine,
  type UserspaceEngine,
  type UserspaceOptions,
} from "../../../src/proxy/engines/userspace/engine.ts";
import type { UserspaceState } from "../../../src/proxy/engines/userspace/state.ts";
import type { UserspacePart } from "../../../src/proxy/engines/userspace/compile.ts";
import { standOnOwnGround } from "../../lab/ground.ts";
import { nodePlan, service } from "../lab/objects.ts";

/** An endpoint that nobody answers at: unassigned addresses of the Service range are silence. */
export const SILENT = "10.96.255.254";

/** The engine in the test's own namespace, with Services of one port whose endpoints the test itself serves on loopback. */
export interface Ground {
  readonly engine: UserspaceEngine;
  readonly state: () => UserspaceState;
  /** A Service `default/name` at 10.96.0.`number`:80, with these endpoints; `change` changes its plan before it is compiled. */
  put(
    name: string,
    number: number,
    endpoints: readonly (readonly [ip: string, port: number])[],
    how?: How,
  ): Promise<void>;
  remove(name: string): Promise<void>;
  /** What is put and removed meanwhile is applied in one round. */
  together(act: () => Promise<void>): Promise<void>;
  /** Reads and applies all, as the loop does when what is there is not what was applied. */
  again(): Promise<void>;
  close(): Promise<void>;
}

export interface How {
  readonly protocol?: "TCP" | "UDP";
  readonly spec?: Partial<ServiceSpec>;
  /** What else is said of each endpoint. */
  readonly endpoints?: readonly Partial<Endpoint>[];
  readonly change?: ((plan: ServicePlan) => ServicePlan) | undefined;
}

export async function openGround(options: UserspaceOptions = {}, node: Partial<NodePlan> = {}): Promise<Ground> {
  standOnOwnGround();
  const engine = userspaceEngine(systemHost(), options);
  const own = { IPv4: ["127.0.0.1"], IPv6: ["::1"] };
  const plan = nodePlan({ nodePortAddresses: own, nodeAddresses: ["127.0.0.1", "::1"], ...node });
  const tracker = new Tracker({ nodeName: plan.nodeName, zone: undefined, families: plan.families });
  const { signal } = new AbortController();
  const frame = engine.compileNode(plan);
  const parts = new Map<string, UserspacePart>();
  const services = new Map<string, [Service, EndpointSlice]>();
  let state = await engine.apply({ frame, parts }, await engine.read(signal), signal);

  let isHeld = false;
  const apply = async (change: How["change"] = (same) => same): Promise<void> => {
    if (isHeld) return;
    const changed = tracker.replan();
    for (const [key, next] of changed) {
      if (next === undefined) parts.delete(key);
      else parts.set(key, engine.compile(change(next), plan));
    }
    state = await engine.apply({ frame, parts, changed: new Set(changed.keys()) }, state, signal);
  };
  return {
    engine,
    state: () => state,
    async put(name, number, endpoints, { protocol = "TCP", spec = {}, endpoints: said = [], change } = {}) {
      const one = service(name, number, {
        clusterIPs: [`10.96.0.${number}`],
        ports: [{ name: "p", port: 80, protocol }],
        ...spec,
      });
      const ports = new Set(endpoints.map(([, port]) => port));
      const slice: EndpointSlice = {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: { name, namespace: "default", labels: { "kubernetes.io/service-name": name } },
        addressType: "IPv4",
        // One slice has one port number: endpoints with several differ by address.
        ports: [{ name: "p", port: [...ports][0] ?? 1, protocol }],
        endpoints: endpoints.map(([ip], at) => ({ addresses: [ip], conditions: { ready: true }, ...said[at] })),
      };
      services.set(name, [one, slice]);
      tracker.setService(keyOf(one), one);
      tracker.setSlice(keyOf(slice), slice);
      await apply(change);
    },
    async remove(name) {
      const [one, slice] = services.get(name)!;
      tracker.setService(keyOf(one), undefined);
      tracker.setSlice(keyOf(slice), undefined);
      await apply();
    },
    async together(act) {
      isHeld = true;
      await act();
      isHeld = false;
      await apply();
    },
    async again() {
      state = await engine.apply({ frame, parts }, await engine.read(signal), signal);
    },
    async close() {
      for (const one of served) one.close();
      await engine.close();
      await engine.cleanup(signal);
    },
  };
}

/** What is served, so that a test that fails leaves nothing that keeps its process. */
const served = new Set<{ close(): unknown }>();

/** Serves connections on an address of loopback. */
export async function serve(ip: string, port: number, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    onConnection(socket);
  });
  server.listen({ host: ip, port, backlog: 4096 });
  await once(server, "listening");
  served.add(server);
  server.once("close", () => served.delete(server));
  return server;
}

/** Answers each connection with its own address and ends it. */
export const serveName = (ip: string, port: number): Promise<Server> => serve(ip, port, (socket) => socket.end(ip));

/** All that a connection says before it ends; an errno name where it fails. */
export function call(host: string, port: number, localAddress?: string): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) });
    socket.on("data", (chunk) => (text += String(chunk)));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    socket.on("close", () => resolve(text));
    // Somebody who is told nothing at all would wait for ever, and the test file with it.
    socket.setTimeout(30_000, () => {
      resolve("nothing within 30 s");
      socket.destroy();
    });
  });
}

/** Answers each datagram with the address it came to and the port it came from. */
export async function serveDatagrams(ip: string, port: number): Promise<Datagrams> {
  const socket = createSocket("udp4");
  socket.on("message", (_, from) => socket.send(`${ip} ${from.port}`, from.port, from.address));
  socket.bind(port, ip);
  await once(socket, "listening");
  served.add(socket);
  socket.once("close", () => served.delete(socket));
  return socket;
}

/** A caller of datagrams with a port of its own. */
export async function datagramCaller(ip: string, port: number): Promise<{ ask(): Promise<string>; close(): void }> {
  const socket = createSocket("udp4");
  socket.connect(port, ip);
  await once(socket, "connect");
  return {
    ask: () =>
      new Promise((resolve) => {
        const done = (answer: string): void => {
          clearTimeout(timer);
          socket.off("message", message).off("error", failed);
          resolve(answer);
        };
        const message = (text: Buffer): void => done(String(text));
        const failed = (error: NodeJS.ErrnoException): void => done(error.code ?? "");
        const timer = setTimeout(() => done("silence"), 3000);
        socket.once("message", message).once("error", failed);
        socket.send("?");
      }),
    close: () => void socket.close(),
  };
}
