import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { until } from "../../lab/until.ts";
import type { Order, PodProtocol, PodSpecification, Seen } from "./behaviour.ts";

/** A pod that answers. */
export interface LabPod extends PodSpecification {
  /** As Kubernetes ends one: takes no more connections, and resolves when what is under way has ended. */
  end(): Promise<void>;
  /** Is gone at once; its connections are reset. */
  kill(): Promise<void>;
  connections(): Promise<number>;
}

/** What may be chosen of a pod. */
export interface PodChoices extends Partial<Omit<PodSpecification, "protocol">> {
  readonly protocol?: PodProtocol;
}

/** Pods in a process of their own, each at an address of its own. */
export interface Backends {
  /** Opens one, at port 8080 unless it says otherwise. */
  pod(choices?: PodChoices): Promise<LabPod>;
  pods(count: number, choices?: PodChoices & { readonly prefix?: string }): Promise<LabPod[]>;
  /** What all of them saw since `forget`, in order. */
  seen(): Promise<Seen[]>;
  /** What they saw of requests whose target or headers have this in them. */
  seenOf(mark: string): Promise<Seen[]>;
  /** Waits until a request with this mark was seen, and is as it should be. */
  sees(mark: string, want?: (seen: Seen) => boolean): Promise<Seen>;
  forget(): Promise<void>;
  /** Lets go what is held by this name. */
  release(name: string): Promise<void>;
  /** So many clients connect there from the process of the pods, and say nothing, until `disperse`. */
  crowd(place: { readonly address: string; readonly port: number }, count: number): Promise<void>;
  disperse(): Promise<void>;
  /** An address that no pod of the lab has. */
  address(): string;
  end(): Promise<void>;
}

/** What is at a mark: any of a request's target and headers has it. */
const has = (seen: Seen, mark: string): boolean =>
  seen.target.includes(mark) || seen.headers.some(([, value]) => value.includes(mark));

export async function startBackends(): Promise<Backends> {
  const child = fork(join(import.meta.dirname, "backends/program.ts"), [], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  await once(child, "spawn");
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let orders = 0;
  child.on("message", ({ id, value, error }: { id: number; value?: unknown; error?: string }) => {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) asked?.resolve(value);
    else asked?.reject(new Error(error));
  });
  child.on("exit", () => {
    for (const asked of waiting.values()) asked.reject(new Error("the process of the pods has ended"));
    waiting.clear();
  });
  const say = async (order: Order): Promise<unknown> => {
    orders += 1;
    const asked = Promise.withResolvers<unknown>();
    waiting.set(orders, asked);
    child.send({ id: orders, order });
    return asked.promise;
  };

  let addresses = 0;
  // Files of tests may run beside each other in one network.
  const net = 1 + (process.pid % 250);
  const address = (): string => {
    addresses += 1;
    return `127.${net}.${addresses >> 8}.${addresses & 255}`;
  };
  let pods = 0;
  const pod = async (choices: PodChoices = {}): Promise<LabPod> => {
    pods += 1;
    const made: PodSpecification = {
      protocol: "http",
      port: 8080,
      name: `pod-${pods}`,
      uid: `00000000-0000-4000-8000-${pods.toString(16).padStart(12, "0")}`,
      address: choices.address ?? address(),
      ...choices,
    };
    await say({ do: "open", pod: made });
    return {
      ...made,
      end: async () => void (await say({ do: "end", uid: made.uid })),
      kill: async () => void (await say({ do: "kill", uid: made.uid })),
      connections: async () => (await say({ do: "connections", uid: made.uid })) as number,
    };
  };
  const seen = async (): Promise<Seen[]> => (await say({ do: "seen" })) as Seen[];
  const seenOf = async (mark: string): Promise<Seen[]> => (await seen()).filter((each) => has(each, mark));

  return {
    pod,
    pods: async (count, { prefix = "pod", ...choices } = {}) =>
      Promise.all(
        Array.from({ length: count }, async (_, i) =>
          pod({ ...choices, name: `${prefix}-${String.fromCodePoint(97 + (i % 26))}${i < 26 ? "" : i}` }),
        ),
      ),
    seen,
    seenOf,
    sees: async (mark, want = () => true) =>
      until(`a request with ${mark} at a pod`, async () => (await seenOf(mark)).find(want)),
    forget: async () => void (await say({ do: "forget" })),
    crowd: async ({ address, port }, count) => void (await say({ do: "crowd", address, port, count })),
    disperse: async () => void (await say({ do: "disperse" })),
    release: async (name) => void (await say({ do: "release", name })),
    address,
    async end() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}
