/** Pods in a process of their own, started by `startBackends`: answers each order that it is sent. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Order, PodSpecification, Seen } from "../behaviour.ts";
import { openGrpcPod } from "./grpc-pod.ts";
import { openHttpPod } from "./http-pod.ts";
import type { Journal, RunningPod } from "./running-pod.ts";
import { openSilentPod } from "./silent-pod.ts";

const pods = new Map<string, RunningPod>();
let seen: Seen[] = [];
let count = 0;
const gates = new Map<string, PromiseWithResolvers<void>>();

const gate = (name: string): PromiseWithResolvers<void> => {
  const found = gates.get(name) ?? Promise.withResolvers<void>();
  gates.set(name, found);
  return found;
};

const journal: Journal = {
  note(what) {
    count += 1;
    const noted = { ...what, number: count };
    seen.push(noted);
    return noted;
  },
  released: async (name) => gate(name).promise,
};

const crowded: Socket[] = [];

/** Connects so many, a hundred at a time. */
async function crowd({ address, port, count }: { address: string; port: number; count: number }): Promise<void> {
  while (crowded.length < count) {
    await Promise.all(
      Array.from({ length: Math.min(100, count - crowded.length) }, async () => {
        const socket = connect({ host: address, port });
        socket.on("error", () => socket.destroy());
        socket.resume();
        crowded.push(socket);
        await once(socket, "connect");
      }),
    );
  }
}

async function open(pod: PodSpecification): Promise<RunningPod> {
  switch (pod.protocol) {
    case "http":
    case "https":
      return openHttpPod(pod, journal);
    case "grpc":
    case "grpcs":
      return openGrpcPod(pod, journal);
    case "silent":
      return openSilentPod(pod);
  }
}

async function follow(order: Order): Promise<unknown> {
  switch (order.do) {
    case "open":
      pods.set(order.pod.uid, await open(order.pod));
      return undefined;
    case "end":
    case "kill": {
      const pod = pods.get(order.uid);
      pods.delete(order.uid);
      await pod?.[order.do]();
      return undefined;
    }
    case "seen":
      return seen;
    case "forget":
      seen = [];
      return undefined;
    case "release":
      gate(order.name).resolve();
      return undefined;
    case "crowd":
      return crowd(order);
    case "disperse":
      for (const socket of crowded.splice(0)) socket.destroy();
      return undefined;
    case "connections":
      return pods.get(order.uid)?.connections() ?? 0;
  }
}

process.on("message", ({ id, order }: { id: number; order: Order }) => {
  void follow(order).then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => process.send?.({ id, error: (error as Error).message }),
  );
});
process.on("disconnect", () => process.exit());
