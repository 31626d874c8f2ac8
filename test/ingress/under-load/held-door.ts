import { duplicate } from "../../../src/host/duplicate.ts";
import { libc } from "../../../src/host/libc.ts";
import { boundSocket, portOf } from "../../../src/host/listening-socket.ts";
import type { IngressEngine, Listener } from "../../../src/ingress/engine.ts";
import type { IngressPlan } from "../../../src/ingress/plan/plan.ts";
import type { EngineSubject } from "../lab/door.ts";
import type { LoadPlaces } from "./words.ts";

/** Milliseconds that an engine which has handed over may go on with what it has. */
const DRAIN = 3_600_000;

/** Two sockets that outlive the engines which are served on them. */
export interface HeldDoor {
  readonly places: LoadPlaces;
  carry(plan: IngressPlan): Promise<void>;
  /** Another engine takes the sockets; the one before goes on with what it has. */
  handOver(plan: IngressPlan): Promise<void>;
  /** Resolves when every engine has ended. */
  close(): Promise<void>;
}

export async function holdDoor(subject: EngineSubject): Promise<HeldDoor> {
  const address = "127.0.0.1";
  const fds = [0, 0].map((port) => boundSocket({ protocol: "TCP", ip: address, port, anyAddress: false }));
  const [plain, secure] = fds.map(portOf) as [number, number];
  const listeners: Listener[] = [
    { address, port: plain, tls: false, proxyProtocol: false },
    { address, port: secure, tls: true, proxyProtocol: false },
  ];
  const create = async (): Promise<IngressEngine> =>
    subject.create({
      listeners,
      open: ({ port }) => duplicate(fds[port === plain ? 0 : 1]!),
      trust: { from: [] },
      accessLog: () => undefined,
    });
  let current = await create();
  const ending = new Map<IngressEngine, Promise<void>>();
  return {
    places: { address, plain, secure },
    async carry(plan) {
      // One that is ending is told, too: connections that are left may still ask. One that has just ended takes nothing any more.
      const last = [...ending].map(async ([engine, ended]) => engine.apply(plan).catch(async () => ended));
      await Promise.all([current.apply(plan), ...last]);
    },
    async handOver(plan) {
      const next = await create();
      await next.apply(plan);
      const before = current;
      current = next;
      ending.set(
        before,
        before.stop(DRAIN).finally(() => ending.delete(before)),
      );
    },
    async close() {
      await Promise.all([...ending.values(), current.stop(5000)]);
      for (const fd of fds) libc().close(fd);
    },
  };
}
