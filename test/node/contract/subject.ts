import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Container, ObjectMeta, Pod, PodSpec } from "../../../src/api/generated/types.ts";
import { systemHost } from "../../../src/host/processes.ts";
import { addressPool } from "../../../src/node/addresses/pool.ts";
import type { ContainerStart, Runtime, StartedContainer } from "../../../src/node/runtimes/runtime.ts";
import { ownNetwork } from "../../../src/node/sandbox/own-network.ts";
import type { PodNetwork, Sandbox } from "../../../src/node/sandbox/sandbox.ts";
import { sharedNetwork } from "../../../src/node/sandbox/shared-network.ts";
import { until } from "../../lab/until.ts";

/** What a runtime can and cannot do. A test of each exception says what happens instead. */
export interface RuntimeAbilities {
  /** Runs the container's command: its output, its exit code. */
  readonly programs: boolean;
  /** `exec` runs a program; else it is refused with a sentence and exit code 126. */
  readonly exec: boolean;
  /** `attach` joins the program's streams, is refused as `exec`, or is not there. */
  readonly attach: "joins" | "refused" | "absent";
  /** Answers probes itself. */
  readonly judges: boolean;
  /** Ports answer also while no Fairlead runs. */
  readonly answersWhileAway: boolean;
  /** Pods in the test of many. */
  readonly many: number;
}

export interface RuntimeSubject {
  readonly name: string;
  readonly abilities: RuntimeAbilities;
  make(scratch: string): Runtime;
  /** A container that answers HTTP at a port; at `/hostname` with its hostname. It ends with exit code 0 when it is asked to. */
  server(port: number): Container;
}

/** One container of a pod of its own, or of one that is there. */
export interface Made {
  readonly start: ContainerStart;
  readonly started: StartedContainer;
  readonly addresses: readonly string[];
}

export interface PodOptions {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Partial<PodSpec>;
  /** Joins the pod of another container. */
  readonly beside?: Made;
}

/** A runtime in a place of its own. */
export interface Scene {
  readonly runtime: Runtime;
  readonly scratch: string;
  run(container: Container, options?: PodOptions): Promise<Made>;
  /** Ends the runtime as the end of Fairlead does, and makes another that is to take over. */
  replace(): Promise<Runtime>;
  /** Ends what runs and takes away the networks. */
  end(): Promise<void>;
}

const RANGES = ["10.244.0.0/16", "fd00:10:244::/64"];
const GATEWAYS = ["10.244.0.1", "fd00:10:244::1"];
export const host = systemHost();
export const rootless = process.env["FAIRLEAD_ROOTLESS"] === "1";

export const isOver = async (runtime: Runtime, started: StartedContainer): Promise<boolean> =>
  (await runtime.status(started)).state === "exited";

export async function scene(subject: RuntimeSubject): Promise<Scene> {
  const scratch = await mkdtemp("/var/tmp/fairlead-contract-");
  const pool = addressPool(RANGES, GATEWAYS);
  const networks: Record<Runtime["network"], PodNetwork> = {
    own: ownNetwork(host, pool, GATEWAYS),
    shared: sharedNetwork(host, pool, RANGES),
  };
  let runtime = subject.make(scratch);
  await runtime.prepare();
  const sandboxes = new Set<Sandbox>();
  const all: Made[] = [];

  const run = async (container: Container, options: PodOptions = {}): Promise<Made> => {
    const uid = options.beside?.start.pod.metadata.uid ?? randomUUID();
    const network = networks[runtime.network];
    const sandbox = options.beside?.start.sandbox ?? network.plan(uid);
    if (options.beside === undefined) await network.make(sandbox);
    sandboxes.add(sandbox);
    const pod: Pod = options.beside?.start.pod ?? {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `pod-${uid}`, namespace: "default", uid, ...options.metadata },
      spec: { nodeName: "n1", ...options.spec, containers: options.spec?.containers ?? [container] },
    };
    const directory = join(scratch, "pods", uid, container.name, "0");
    await mkdir(join(scratch, "logs"), { recursive: true });
    const start: ContainerStart = {
      pod,
      container,
      sandbox,
      hostname: `host-${uid.slice(0, 8)}`,
      command: container.command ?? [],
      env: { PATH: "/usr/local/bin:/usr/bin:/bin:/run/fairlead/bin" },
      mounts: [],
      directory,
      log: join(scratch, "logs", `${uid}-${container.name}.log`),
    };
    const made = { start, started: await runtime.start(start), addresses: sandbox.addresses };
    all.push(made);
    return made;
  };

  return {
    get runtime() {
      return runtime;
    },
    scratch,
    run,
    async replace() {
      await runtime.close();
      runtime = subject.make(scratch);
      await runtime.prepare();
      return runtime;
    },
    async end() {
      await Promise.all(all.map(({ started }) => runtime.stop(started, "SIGKILL")));
      await until("all containers to be over", async () => {
        const over = await Promise.all(all.map(({ started }) => isOver(runtime, started)));
        return !over.includes(false);
      });
      await Promise.all(
        [...sandboxes].map(async (sandbox) => {
          const network = networks[runtime.network];
          await network.remove(sandbox);
          network.release(sandbox);
        }),
      );
      await runtime.close();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

/** A test in a scene of its own. */
export const example = (subject: RuntimeSubject, title: string, body: (at: Scene) => Promise<void>): void =>
  void test(`${subject.name}: ${title}`, { timeout: 150_000 }, async () => {
    const at = await scene(subject);
    try {
      await body(at);
    } finally {
      await at.end();
    }
  });

export const url = (address: string, port: number, path = "/"): string =>
  `http://${address.includes(":") ? `[${address}]` : address}:${port}${path}`;

/** Waits for the first answer: a program needs a moment until it listens. */
export const answerOf = (address: string, port: number, path = "/hostname"): Promise<string> =>
  until(`an answer from ${address} port ${port}`, async () => {
    const response = await fetch(url(address, port, path), { headers: { connection: "close" } });
    return { text: await response.text() };
  }).then(({ text }) => text);

/** The kernel's word for a connection that nobody takes. */
export const refusalOf = (address: string, port: number): Promise<string | undefined> =>
  fetch(url(address, port)).then(
    (response) => response.text().then(() => undefined),
    (error: Error) => (error.cause as NodeJS.ErrnoException | undefined)?.code,
  );

export const exitOf = (runtime: Runtime, started: StartedContainer): Promise<number> =>
  until("the container to end", async () => {
    const sight = await runtime.status(started);
    return sight.state === "exited" ? { code: sight.exitCode } : undefined;
  }).then(({ code }) => code);

export const logOf = ({ start }: Made): Promise<string> => readFile(start.log, "utf8");
