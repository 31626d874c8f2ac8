import { createSocket, type Socket } from "node:dgram";
import type { Clock } from "../../../../observe/clock.ts";
import type { CarriedTarget, Entrance } from "./carried.ts";
import type { Port } from "./port.ts";
import { clientOf, listFor } from "./source.ts";

/** More flows than this on one address and port: the longest unused ends. Each is a socket. */
const MOST = 4096;
/** Datagrams that wait until their flow's socket is there. */
const MOST_WAITING = 32;

interface Flow {
  readonly target: CarriedTarget;
  readonly socket: Socket;
  used: number;
  /** Datagrams from before the socket was connected; undefined afterwards. */
  waiting: Buffer[] | undefined;
  /** The first datagram, until an answer has come: it goes to another target when this one refuses. */
  first: Buffer | undefined;
  end(): void;
  refused(): void;
}

export interface FlowsGround {
  readonly clock: Clock;
  /** Milliseconds without a datagram after which a flow ends. */
  readonly idle: number;
}

/**
 * The flows of one called address: a socket towards the target for each caller, as long as datagrams pass (PRX-196). Answers leave
 * from the socket that was called, so that they come from the address that the caller knows.
 */
export class Flows {
  readonly #called: { readonly socket: Socket; readonly ip: string; readonly port: number };
  readonly #ground: FlowsGround;
  readonly #flows = new Map<string, Flow>();
  #sweeps = false;

  constructor(called: { readonly socket: Socket; readonly ip: string; readonly port: number }, ground: FlowsGround) {
    this.#called = called;
    this.#ground = ground;
  }

  /** A caller's datagram. */
  take(datagram: Buffer, ip: string, callersPort: number, port: Port, entrance: Entrance): void {
    const key = `${ip} ${callersPort}`;
    const flow = this.#flows.get(key) ?? this.#open(key, ip, callersPort, port, entrance, new Set());
    if (flow === undefined) return;
    flow.used = this.#ground.clock.now();
    // The newest are last: the first is the one to end when there are too many.
    this.#flows.delete(key);
    this.#flows.set(key, flow);
    if (flow.first !== undefined && flow.first.length === 0) flow.first = datagram;
    this.#send(flow, datagram);
  }

  #send(flow: Flow, datagram: Buffer): void {
    // An earlier datagram's refusal may be told to the next one that is sent.
    if (flow.waiting === undefined) flow.socket.send(datagram, (error) => error && flow.refused());
    else if (flow.waiting.length < MOST_WAITING) flow.waiting.push(datagram);
  }

  #open(
    key: string,
    ip: string,
    callersPort: number,
    port: Port,
    entrance: Entrance,
    tried: ReadonlySet<CarriedTarget>,
  ): Flow | undefined {
    const list = listFor(entrance, ip, this.#called.ip);
    const client = clientOf(port.plan, ip, this.#called.ip);
    const target = list === undefined ? undefined : port.choose(list, client, tried);
    if (target === undefined) return undefined;
    const socket = createSocket(ip.includes(":") ? "udp6" : "udp4");
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      over();
      if (this.#flows.get(key) === flow) this.#flows.delete(key);
      socket.close();
    };
    const refused = (): void => {
      if (isOver) return;
      const { first } = flow;
      end();
      port.forget(client);
      if (first === undefined || first.length === 0) return;
      const again = this.#open(key, ip, callersPort, port, entrance, new Set([...tried, target]));
      if (again === undefined) return;
      again.first = first;
      this.#send(again, first);
    };
    const used = this.#ground.clock.now();
    const flow: Flow = { target, socket, used, waiting: [], first: Buffer.alloc(0), end, refused };
    const over = port.begin(flow);
    socket.on("message", (answer) => {
      flow.used = this.#ground.clock.now();
      flow.first = undefined;
      this.#called.socket.send(answer, callersPort, ip, () => {});
    });
    socket.on("error", refused);
    socket.connect(port.plan.keepsPort ? this.#called.port : target.port, target.ip, (error?: Error) => {
      const waiting = flow.waiting ?? [];
      flow.waiting = undefined;
      if (error === undefined) for (const datagram of waiting) this.#send(flow, datagram);
    });
    this.#flows.set(key, flow);
    if (this.#flows.size > MOST) this.#flows.values().next().value?.end();
    this.#sweepLater();
    return flow;
  }

  #sweepLater(): void {
    if (this.#sweeps) return;
    this.#sweeps = true;
    this.#ground.clock.after(this.#ground.idle / 2, () => {
      this.#sweeps = false;
      const now = this.#ground.clock.now();
      for (const flow of this.#flows.values()) if (flow.used + this.#ground.idle <= now) flow.end();
      if (this.#flows.size > 0) this.#sweepLater();
    });
  }

  /** Nobody calls here any more. */
  end(): void {
    for (const flow of this.#flows.values()) flow.end();
  }
}
