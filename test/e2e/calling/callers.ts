import { createInterface } from "node:readline";
import { CHECKOUT, type LabHost } from "../../lab/lab.ts";
import type { Called, CallOrder, Line, Named, NameOrder, Order, Ran } from "./orders.ts";

const PROGRAM = `${CHECKOUT}/test/e2e/calling/caller.ts`;
const CLIENT_PORT = 7000;
/** A pod finds the machine's own node first, which may be too old to run TypeScript as it is. */
const NODE = `${CHECKOUT}/node_modules/.bin/node`;

/** Somebody who calls Services: on a lab host, or in a pod. */
export interface Caller {
  call(url: string, options?: Omit<CallOrder, "order" | "url">): Promise<Called[]>;
  name(name: string, type?: NameOrder["type"]): Promise<Named>;
  environment(): Promise<Record<string, string>>;
  run(command: string, ...args: string[]): Promise<Ran>;
}

/** A caller on a lab host, which also speaks to callers in pods. */
export interface HostCaller extends Caller {
  /** The caller in the client pod with this address. */
  inPod(address: string): Caller;
  close(): void;
}

const callerOf = (tell: (order: Order) => Promise<unknown>): Caller => ({
  call: (url, options) => tell({ order: "call", url, ...options }) as Promise<Called[]>,
  name: (name, type = "address") => tell({ order: "name", type, name }) as Promise<Named>,
  environment: () => tell({ order: "environment" }) as Promise<Record<string, string>>,
  run: (command, ...args) => tell({ order: "run", command, args }) as Promise<Ran>,
});

/** Starts a caller on a lab host. */
export async function callerOn(host: LabHost): Promise<HostCaller> {
  const running = await host.open(process.execPath, ["--disable-warning=ExperimentalWarning", PROGRAM]);
  let complaints = "";
  running.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  const lines = createInterface({ input: running.stdout })[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();
  const tell = (line: Line): Promise<unknown> => {
    const mine = last.then(async () => {
      running.stdin.write(`${JSON.stringify(line)}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`the caller on ${host.name} ended: ${complaints}`);
      const answer = JSON.parse(value) as { failed?: string };
      if (answer.failed !== undefined) throw new Error(`ordering ${JSON.stringify(line)}: ${answer.failed}`);
      return answer;
    });
    last = mine.catch(() => {});
    return mine;
  };
  return {
    ...callerOf(tell),
    inPod: (address) => callerOf((order) => tell({ ...order, via: { host: address, port: CLIENT_PORT } })),
    close: () => running.kill("SIGKILL"),
  };
}

/** A pod in which a caller waits for orders; `spec` is what else is said of the pod. */
export const clientPod = (name: string, namespace: string, spec: object = {}): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, labels: { app: name } },
  spec: {
    ...spec,
    terminationGracePeriodSeconds: 2,
    containers: [
      {
        name: "caller",
        command: [NODE, "--disable-warning=ExperimentalWarning", PROGRAM, String(CLIENT_PORT)],
        readinessProbe: { tcpSocket: { port: CLIENT_PORT }, periodSeconds: 1 },
      },
    ],
  },
});
