import { deepEqual, equal, rejects } from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { KubeObject, Resource, WatchEvent } from "../api/object.ts";
import type { Client, ListParameters } from "../client/client.ts";
import { systemClock } from "../observe/clock.ts";
import { silentLog } from "../observe/log.ts";
import type { Desired, ProxyEngine, Support } from "./engine.ts";
import type { Programmed } from "./latency.ts";
import type { NodePlan, ServicePlan } from "./plan/plan.ts";
import { startProxy, type Proxy } from "./proxy.ts";

const NODE: NodePlan = {
  nodeName: "n1",
  families: ["IPv4"],
  nodePortAddresses: { IPv4: [], IPv6: [] },
  localhostNodePorts: false,
  serviceRanges: ["10.96.0.0/16"],
  localDetector: { by: "ranges", ranges: ["10.244.0.0/16"] },
  nodeAddresses: [],
  masqueradeAll: false,
  masqueradeBit: 14,
  forwardOnly: undefined,
};

/** An API server as far as lists and watches go; a list can be held back. */
class FakeServer {
  readonly asked: string[] = [];
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #watchers = new Map<string, Set<(event: WatchEvent) => void>>();
  readonly #held = new Map<string, PromiseWithResolvers<void>>();
  #version = 1;

  hold(plural: string): () => void {
    const held = Promise.withResolvers<void>();
    this.#held.set(plural, held);
    return held.resolve;
  }

  put(plural: string, object: Omit<KubeObject, "apiVersion" | "kind"> & object): void {
    const { name = "" } = object.metadata;
    const objects = this.#objects.get(plural) ?? new Map<string, KubeObject>();
    const type = objects.has(name) ? "MODIFIED" : "ADDED";
    const stored = {
      apiVersion: "v1",
      kind: plural,
      ...object,
      metadata: { ...object.metadata, namespace: "default", uid: name, resourceVersion: String(++this.#version) },
    };
    this.#objects.set(plural, objects.set(name, stored));
    for (const watcher of this.#watchers.get(plural) ?? []) watcher({ type, object: stored });
  }

  get client(): Client {
    const list = async (resource: Resource, parameters: ListParameters = {}) => {
      this.asked.push(`${resource.plural} ${parameters.labelSelector ?? ""} ${parameters.fieldSelector ?? ""}`.trim());
      await this.#held.get(resource.plural)?.promise;
      const items = [...(this.#objects.get(resource.plural)?.values() ?? [])];
      return { apiVersion: "v1", kind: "List", metadata: { resourceVersion: String(this.#version) }, items };
    };
    const watchers = this.#watchers;
    const watch = async function* (resource: Resource, _: unknown, signal: AbortSignal) {
      const queue: WatchEvent[] = [];
      let more = Promise.withResolvers<void>();
      const push = (event: WatchEvent): void => (queue.push(event), more.resolve());
      const all = watchers.get(resource.plural) ?? new Set();
      watchers.set(resource.plural, all.add(push));
      signal.addEventListener("abort", () => more.resolve());
      while (!signal.aborted) {
        await more.promise;
        more = Promise.withResolvers();
        yield* queue.splice(0);
      }
    };
    return { list, watch } as unknown as Client;
  }
}

/** An engine that keeps what it is given. */
class FakeEngine implements ProxyEngine<ServicePlan, NodePlan, number> {
  readonly name = "nftables";
  readonly intact = async (): Promise<boolean> => true;
  readonly abilities = {} as ProxyEngine<ServicePlan, NodePlan, number>["abilities"];
  readonly rounds: { parts: string[]; changed: string[] | "all"; ranges: readonly string[] }[] = [];
  readonly seen = new Map<string, ServicePlan>();
  support: Support = { supported: true };
  reads = 0;
  faults = 0;
  closed = false;
  cleaned = false;
  #told = Promise.withResolvers<void>();

  supported = async () => this.support;
  compileNode = (node: NodePlan) => node;
  compile = (plan: ServicePlan) => plan;
  read = async () => ++this.reads;
  async apply({ frame, parts, changed }: Desired<ServicePlan, NodePlan>, was: number): Promise<number> {
    this.rounds.push({
      parts: [...parts.keys()].toSorted(),
      changed: changed === undefined ? "all" : [...changed].toSorted(),
      ranges: frame.serviceRanges,
    });
    this.#told.resolve();
    this.#told = Promise.withResolvers();
    if (this.faults-- > 0) throw new Error("no");
    this.seen.clear();
    for (const [key, part] of parts) this.seen.set(key, part);
    return was;
  }
  cleanup = async () => void (this.cleaned = true);
  close = async () => void (this.closed = true);

  /** Waits until the rounds so far satisfy the check. */
  async until(check: () => boolean): Promise<void> {
    const late = AbortSignal.timeout(10_000);
    while (!check()) {
      late.throwIfAborted();
      await Promise.race([this.#told.promise, new Promise((resolve) => setTimeout(resolve, 20))]);
    }
  }
}

const service = (name: string, number: number) => ({
  metadata: { name },
  spec: { clusterIP: `10.96.0.${number}`, ports: [{ name: "http", port: 80 }] },
});
const slice = (name: string, number: number, trigger?: string) => ({
  metadata: {
    name: `${name}-1`,
    labels: { "kubernetes.io/service-name": name },
    ...(trigger === undefined ? {} : { annotations: { "endpoints.kubernetes.io/last-change-trigger-time": trigger } }),
  },
  addressType: "IPv4",
  ports: [{ name: "http", port: 8080, protocol: "TCP" }],
  endpoints: [{ addresses: [`10.244.0.${number}`] }],
});

async function start(
  context: TestContext,
  server: FakeServer,
  engine: FakeEngine,
  onApplied?: (one: Programmed) => void,
): Promise<Proxy> {
  const proxy = await startProxy({
    client: server.client,
    engine,
    clock: systemClock,
    random: () => 0,
    log: silentLog,
    node: NODE,
    ...(onApplied === undefined ? {} : { onApplied }),
  });
  context.after(() => proxy.stop());
  return proxy;
}
const targetOf = (engine: FakeEngine, key: string): string | undefined => {
  const destination = engine.seen.get(key)?.ports[0]?.internal;
  return destination?.to === "targets" ? destination.targets[0]?.ip : destination?.to;
};

test("PRX-015: writes no rules before both lists are in, then once, whole", async (context) => {
  const server = new FakeServer();
  const engine = new FakeEngine();
  server.put("services", service("web", 1));
  server.put("endpointslices", slice("web", 1));
  const release = server.hold("endpointslices");
  const proxy = await start(context, server, engine);
  await new Promise((resolve) => setTimeout(resolve, 50));
  equal(engine.rounds.length, 0);
  release();
  await proxy.ready;
  equal(engine.rounds.length, 1);
  equal(targetOf(engine, "default/web"), "10.244.0.1");
  deepEqual(server.asked.toSorted(), [
    "endpointslices !service.kubernetes.io/headless",
    "servicecidrs",
    "services !service.kubernetes.io/service-proxy-name spec.clusterIP!=None",
  ]);
});

test("PRX-151: a change is one round that names what changed, and changes of one turn are one round", async (context) => {
  const server = new FakeServer();
  const engine = new FakeEngine();
  for (const number of [1, 2, 3]) server.put("services", service(`s${number}`, number));
  const proxy = await start(context, server, engine);
  await proxy.ready;
  server.put("endpointslices", slice("s1", 1));
  server.put("endpointslices", slice("s2", 2));
  await engine.until(() => targetOf(engine, "default/s2") === "10.244.0.2");
  deepEqual(
    engine.rounds.slice(1).map(({ changed }) => changed),
    [["default/s1", "default/s2"]],
  );
  equal(engine.reads, 1, "nothing is read again while all goes well");
});

test("PRX-166: after a failure everything is read and tried again, and nothing is forgotten", async (context) => {
  const server = new FakeServer();
  const engine = new FakeEngine();
  server.put("services", service("web", 1));
  const programmed: Programmed[] = [];
  const proxy = await start(context, server, engine, (one) => void programmed.push(one));
  await proxy.ready;
  engine.faults = 2;
  const trigger = new Date(Date.now() + 1000).toISOString();
  server.put("endpointslices", slice("web", 7, trigger));
  await engine.until(() => targetOf(engine, "default/web") === "10.244.0.7");
  deepEqual(
    engine.rounds.slice(1).map(({ changed }) => changed),
    [["default/web"], "all", "all"],
  );
  equal(engine.reads, 3);
  await engine.until(() => programmed.length > 0);
  deepEqual(
    programmed.map(({ service: key, triggerTime }) => [key, triggerTime]),
    [["default/web", Date.parse(trigger)]],
    "PRX-017",
  );
});

test("PRX-017: trigger times before the start are not counted", async (context) => {
  const server = new FakeServer();
  const engine = new FakeEngine();
  const programmed: Programmed[] = [];
  server.put("services", service("web", 1));
  server.put("endpointslices", slice("web", 7, "2020-01-01T00:00:00Z"));
  await (
    await start(context, server, engine, (one) => void programmed.push(one))
  ).ready;
  deepEqual(programmed, []);
});

test("PRX-072: the ranges of ServiceCIDR objects are followed", async (context) => {
  const server = new FakeServer();
  const engine = new FakeEngine();
  const proxy = await start(context, server, engine);
  await proxy.ready;
  server.put("servicecidrs", { metadata: { name: "more" }, spec: { cidrs: ["10.97.0.0/16"] } } as {
    metadata: { name: string };
  });
  await engine.until(() => engine.rounds.at(-1)?.ranges.length === 2);
  deepEqual(engine.rounds.at(-1)?.ranges, ["10.96.0.0/16", "10.97.0.0/16"]);
});

test("PRX-266: stopping leaves the rules in place", async () => {
  const engine = new FakeEngine();
  const proxy = await startProxy({
    client: new FakeServer().client,
    engine,
    clock: systemClock,
    random: () => 0,
    log: silentLog,
    node: NODE,
  });
  await proxy.ready;
  await proxy.stop();
  deepEqual([engine.closed, engine.cleaned], [true, false]);
});

test("an engine that cannot run here is said at once, with the remedy", async () => {
  const engine = new FakeEngine();
  engine.support = { supported: false, missing: "the tool nft is not installed" };
  const started = startProxy({
    client: new FakeServer().client,
    engine,
    clock: systemClock,
    random: () => 0,
    log: silentLog,
    node: NODE,
  });
  await rejects(started, /starting the proxy with nftables: the tool nft is not installed/);
});

test("PRX-034: another zone of the node plans everything again", async (context) => {
  const server = new FakeServer();
  const engine = new FakeEngine();
  server.put("services", service("web", 1));
  const hinted = (number: number, zone: string) => ({
    addresses: [`10.244.0.${number}`],
    hints: { forZones: [{ name: zone }] },
  });
  const hints = { ...slice("web", 1), endpoints: [hinted(1, "a"), hinted(2, "b")] };
  server.put("endpointslices", hints);
  const proxy = await start(context, server, engine);
  await proxy.ready;
  proxy.setNode(NODE, "b");
  await engine.until(() => targetOf(engine, "default/web") === "10.244.0.2");
  proxy.setNode(NODE, "a");
  await engine.until(() => targetOf(engine, "default/web") === "10.244.0.1");
});
