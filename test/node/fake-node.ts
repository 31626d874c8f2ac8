import type { Container, Pod, PodSpec } from "../../src/api/generated/types.ts";
import type { KubeObject } from "../../src/api/object.ts";
import { pods } from "../../src/api/resources.ts";
import type { EventRecorder } from "../../src/client/events.ts";
import { silentLog } from "../../src/observe/log.ts";
import type { Clock } from "../../src/observe/clock.ts";
import type { PodNetwork } from "../../src/node/sandbox/sandbox.ts";
import { hostNetwork } from "../../src/node/sandbox/host-network.ts";
import { systemHost } from "../../src/host/processes.ts";
import type { PodContext } from "../../src/node/pods/context.ts";
import { startPodWorker, type PodWorker } from "../../src/node/pods/pod-worker.ts";
import { chooseRuntimes } from "../../src/node/runtimes/choose.ts";
import type { ContainerStart, ProbeKind, Runtime } from "../../src/node/runtimes/runtime.ts";
import type { ProbeResult } from "../../src/node/probes/result.ts";
import type { PodRecord } from "../../src/node/state/pod-record.ts";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fakeClient, type FakeClient } from "./fake-client.ts";

export interface FakeContainer {
  readonly start: ContainerStart;
  exited: number | undefined;
  reason?: string;
  wake: () => void;
}

export interface FakeNode {
  readonly client: FakeClient;
  /** What was done, in order: `start NAME`, `SIGTERM NAME`, … */
  readonly log: string[];
  /** The events told: `REASON message`. */
  readonly events: string[];
  /** Starts a pod; the worker sees every later write of the object. */
  begin(name: string, spec: Partial<PodSpec>, metadata?: Partial<Pod["metadata"]>): PodWorker;
  pod(name: string): Pod | undefined;
  /** Everything that the worker last said of a pod that is gone meanwhile. */
  readonly last: Map<string, Pod>;
  /** The container of this name as it runs now. */
  running(name: string): FakeContainer | undefined;
  exit(name: string, code: number, reason?: string): Promise<void>;
  /** Lets everything happen that needs no time. */
  settle(): Promise<void>;
  /** Lets so many milliseconds pass. */
  pass(milliseconds: number): Promise<void>;
  /** How many timers are set. */
  timers(): number;
  end(): Promise<void>;
}

export interface FakeNodeOptions {
  /** What a container does when it is told a signal; by default SIGTERM and SIGKILL end it. */
  readonly onSignal?: (container: string, signal: string) => number | undefined;
  /** Called before a container starts; what it throws is the start's failure. */
  readonly onStart?: (container: string) => void;
  readonly judge?: (pod: Pod, container: Container, kind: ProbeKind) => ProbeResult;
  readonly proxiesKnow?: PodContext["proxiesKnow"];
  /** Called before a pod's network is planned; what it throws is the failure. */
  readonly onPlan?: () => void;
}

const usual = (_: string, signal: string): number | undefined =>
  signal === "SIGKILL" ? 137 : signal === "SIGTERM" ? 143 : undefined;

/** A node with a runtime of a Map's making and a clock of the test's own: what is decided, without a program. */
export async function fakeNode(options: FakeNodeOptions = {}): Promise<FakeNode> {
  /** Works under way that write or remove files: all else goes on within a turn of the event loop. */
  let busy = 0;
  const counted = async <T>(work: () => Promise<T>): Promise<T> => {
    busy += 1;
    try {
      return await work();
    } finally {
      busy -= 1;
    }
  };
  const directory = await mkdtemp(join(tmpdir(), "fairlead-node-"));
  const client = fakeClient();
  const log: string[] = [];
  const events: string[] = [];
  const last = new Map<string, Pod>();
  const containers = new Map<string, FakeContainer>();
  let now = Date.parse("2026-01-01T00:00:00Z");
  const timers: { at: number; callback: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    after(milliseconds, callback) {
      const timer = { at: now + milliseconds, callback };
      timers.push(timer);
      return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1));
    },
  };
  const nameOf = (started: object): FakeContainer => containers.get((started as { id: string }).id)!;
  const runtime: Runtime = {
    name: "fake",
    network: "own",
    refusal: () => undefined,
    prepare: () => Promise.resolve(),
    start(start) {
      const { name } = start.container;
      options.onStart?.(name);
      log.push(`start ${name}`);
      const id = `${start.pod.metadata.uid}/${name}/${log.length}`;
      containers.set(id, { start, exited: undefined, wake: () => {} });
      return Promise.resolve({ id });
    },
    status(started) {
      const { exited, reason } = nameOf(started);
      if (exited === undefined) return Promise.resolve({ state: "running" });
      return Promise.resolve({ state: "exited", exitCode: exited, ...(reason === undefined ? {} : { reason }) });
    },
    watch(started, callback) {
      nameOf(started).wake = callback;
      queueMicrotask(callback);
      return () => {};
    },
    stop(started, signal) {
      const container = nameOf(started);
      const { name } = container.start.container;
      log.push(`${signal} ${name}`);
      const code = (options.onSignal ?? usual)(name, signal);
      if (code !== undefined && container.exited === undefined) {
        container.exited = code;
        container.wake();
      }
      return Promise.resolve();
    },
    exec: () => Promise.reject(new Error("there is no program")),
    judge: options.judge ?? (() => ({ ok: true, message: "" })),
    close: () => Promise.resolve(),
  };
  const recorder: EventRecorder = {
    event: (_: KubeObject, __, reason, message) => events.push(`${reason} ${message}`),
    flush: () => Promise.resolve(),
    stop: () => {},
  };
  const saved = new Map<string, PodRecord>();
  const shared = hostNetwork(["10.0.0.9"]);
  const network: PodNetwork = {
    ...shared,
    isThere: () => Promise.resolve(false),
    // The first that is done of a pod's removal.
    remove: () => Promise.resolve(void (busy += 1)),
    plan(uid) {
      options.onPlan?.();
      return shared.plan(uid);
    },
  };
  const context: PodContext = {
    client,
    host: systemHost(),
    clock,
    random: () => 0,
    log: silentLog,
    events: recorder,
    runtimes: chooseRuntimes([runtime], "fake"),
    ready: Promise.resolve(),
    records: {
      load: () => Promise.resolve([...saved.values()]),
      save: (record) => Promise.resolve(void saved.set(record.uid, record)),
      // The last that is done of a pod's removal.
      remove: (uid) => Promise.resolve(void (saved.delete(uid) && (busy -= 1))),
    },
    inTurn: counted,
    startInTurn: counted,
    proxiesKnow: options.proxiesKnow ?? (() => Promise.resolve()),
    lookups: () => ({ configMap: () => Promise.resolve(undefined), secret: () => Promise.resolve(undefined) }),
    services: () => [],
    hostname: "machine",
    allocatable: {},
    volumes: {
      places: (uid) =>
        Promise.resolve({ volumes: join(directory, "volumes", uid), memory: undefined, claims: directory }),
      prepare: () => Promise.resolve(),
      update: () => {},
      end: () => Promise.resolve(),
      stop: () => Promise.resolve(),
    },
    nodeName: "n1",
    nodeAddresses: ["10.0.0.9"],
    networks: { own: network, host: network, shared: network },
    files: {
      pod: (uid) => join(directory, "pods", uid),
      volumes: (uid) => join(directory, "volumes", uid),
      logs: ({ uid }) => join(directory, "logs", uid),
    },
    clusterDNS: ["10.96.0.10"],
    clusterDomain: "cluster.local",
    resolver: () => Promise.resolve({ nameservers: [], searches: [], options: [] }),
  };

  const workers = new Map<string, PodWorker>();
  const stopping = new AbortController();
  const follow = async (): Promise<void> => {
    for await (const event of client.watch<Pod>(pods, { resourceVersion: "0" }, stopping.signal)) {
      const { type } = event;
      const object = event.object as Pod;
      const { uid = "", name = "" } = object.metadata;
      last.set(name, object);
      if (type === "DELETED") workers.get(uid)?.gone();
      else workers.get(uid)?.update(object);
    }
  };
  const following = follow();
  const settle = async (): Promise<void> => {
    for (let quiet = 0; quiet < 20; quiet += 1) {
      await new Promise(setImmediate);
      if (busy > 0) quiet = 0;
    }
  };
  const running = (name: string): FakeContainer | undefined =>
    [...containers.values()].findLast(({ start, exited }) => start.container.name === name && exited === undefined);
  return {
    client,
    log,
    events,
    last,
    begin(name, spec, metadata = {}) {
      const pod = client.put<Pod>(pods, {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, namespace: "default", uid: `00000000-${name}`, ...metadata },
        spec: { nodeName: "n1", ...spec, containers: spec.containers ?? [{ name: "main" }] },
      });
      const worker = startPodWorker(context, pod, saved.get(pod.metadata.uid!));
      workers.set(pod.metadata.uid!, worker);
      return worker;
    },
    pod: (name) => client.find(pods, "default", name) as Pod | undefined,
    running,
    async exit(name, code, reason) {
      const container = running(name);
      if (container === undefined) throw new Error(`container ${name} does not run; so far: ${log.join(", ")}`);
      container.exited = code;
      if (reason !== undefined) container.reason = reason;
      container.wake();
      await settle();
    },
    settle,
    async pass(milliseconds) {
      const until = now + milliseconds;
      for (;;) {
        await settle();
        const next = timers.toSorted((one, other) => one.at - other.at)[0];
        if (next === undefined || next.at > until) break;
        timers.splice(timers.indexOf(next), 1);
        now = Math.max(now, next.at);
        next.callback();
      }
      now = until;
    },
    timers: () => timers.length,
    async end() {
      stopping.abort();
      await Promise.all([...workers.values()].map((worker) => worker.leave()));
      await following;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
