/** Services written to an API server at a held rate, by a process of its own. */
import { services } from "../../src/api/resources.ts";
import { clientOf, forked, whenAlone, type Access } from "../api-process.ts";
import { subjectsOf, serviceOf, NAMESPACE } from "./cluster.ts";
import { percentile } from "../percentiles.ts";

export interface Orders {
  /** `new`: each is another one. `changed`: those of the cluster in turn, each time with another port. */
  readonly kind: "new" | "changed";
  /** A second. */
  readonly rate: number;
  readonly seconds: number;
  /** How many Services the cluster has. */
  readonly size: number;
}

export interface Written {
  /** Answered in those seconds, a second. */
  readonly rate: number;
  /** Milliseconds from when a write was due to its answer. */
  readonly p99: number;
}

export interface Writer {
  write(orders: Orders): Promise<Written>;
  stop(): void;
}

export async function startWriter({ port, ca, key, cert }: Access): Promise<Writer> {
  const [child] = await forked(import.meta.filename, "writer", JSON.stringify({ port, ca, key, cert }));
  return {
    write: (orders) =>
      new Promise((resolve) => {
        child.once("message", (written) => resolve(written as Written));
        child.send(orders);
      }),
    stop: () => child.disconnect(),
  };
}

async function work(access: Access): Promise<void> {
  const client = clientOf(access);
  let made = 0;
  let changed = 0;

  const writeOne = async ({ kind, size }: Orders): Promise<unknown> => {
    if (kind === "new") {
      made += 1;
      const number = made % 65_536;
      const clusterIP = `10.${100 + (made >> 16)}.${number >> 8}.${number & 255}`;
      return client.create(services, serviceOf({ name: `written${made}`, clusterIP, endpoints: [] }));
    }
    changed += 1;
    const subject = subjects(size)[changed % size]!;
    const service = serviceOf(subject);
    const spec = { ports: [{ ...service.spec!.ports![0]!, port: 1000 + (Math.floor(changed / size) % 1000) }] };
    return client.patch(services, { namespace: NAMESPACE, name: subject.name }, "merge", { spec });
  };

  const write = async (orders: Orders): Promise<Written> => {
    const took: number[] = [];
    const began = performance.now();
    const end = began + orders.seconds * 1000;
    let due = 0;
    let answered = 0;
    const underWay = new Set<Promise<void>>();
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const now = performance.now();
        for (; due < ((Math.min(now, end) - began) / 1000) * orders.rate; due += 1) {
          const dueAt = began + (due / orders.rate) * 1000;
          const one = writeOne(orders).then(
            () => {
              took.push(performance.now() - dueAt);
              if (performance.now() <= end) answered += 1;
            },
            (error: unknown) => console.error("writing a Service:", error),
          );
          underWay.add(one);
          void one.then(() => underWay.delete(one));
        }
        if (now >= end) {
          clearInterval(timer);
          resolve();
        }
      }, 2);
    });
    await Promise.all(underWay);
    return { rate: answered / orders.seconds, p99: percentile(took, 0.99) };
  };

  process.on("message", (orders) => void write(orders as Orders).then((written) => process.send!(written)));
  process.send!({});
  whenAlone(async () => client.close());
}

const known = new Map<number, ReturnType<typeof subjectsOf>>();
function subjects(size: number): ReturnType<typeof subjectsOf> {
  const found = known.get(size) ?? subjectsOf(size);
  known.set(size, found);
  return found;
}

const [, file, role, given = ""] = process.argv;
if (file === import.meta.filename && role === "writer") await work(JSON.parse(given) as Access);
