import { networkInterfaces } from "node:os";
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../../../observe/clock.ts";
import {
  OWN,
  type CarriedPort,
  type CarrierReport,
  type CarrierRequest,
  type Entrance,
  type Refused,
} from "./carried.ts";
import { codeOf, listen, type Leads, type Listener } from "./listener.ts";
import { Port } from "./port.ts";

/** Milliseconds between two tries of a socket that another program has, and two looks at the machine's addresses (PRX-197). */
const AGAIN = 1000;

export interface CarrierGround {
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  /** Milliseconds without a datagram after which a flow ends. */
  readonly udpIdleTimeout: number;
  readonly report: (report: CarrierReport) => void;
}

interface Wanted extends Leads {
  readonly ip: string;
  readonly number: number;
  listener: Listener | undefined;
  code: string | undefined;
}

type Own = { readonly [kind in "callable" | "all"]: ReturnType<typeof ownAddresses> };

const EVERY = new Set(["0.0.0.0", "::"]);

/** Addresses of this machine by family, but none that need an interface beside them. `all`: those of loopback too. */
function ownAddresses(all: boolean): { readonly IPv4: readonly string[]; readonly IPv6: readonly string[] } {
  const infos = Object.values(networkInterfaces()).flatMap((of) => of ?? []);
  const usable = infos.filter(({ internal, address }) => (all || !internal) && !address.startsWith("fe80:"));
  const of = (family: string): string[] =>
    usable.filter((info) => info.family === family).map(({ address }) => address);
  return { IPv4: of("IPv4"), IPv6: of("IPv6") };
}

/** An entrance with the machine's addresses where it names them. */
function withOwn(entrance: Entrance, addresses: readonly string[]): Entrance {
  const named = (ranges: readonly string[]): readonly string[] =>
    ranges.flatMap((range) =>
      range === OWN ? addresses.map((ip) => `${ip}/${ip.includes(":") ? 128 : 32}`) : [range],
    );
  const { inside, admits } = entrance;
  if (inside === undefined) return entrance;
  return { ...entrance, inside: { ...inside, ranges: named(inside.ranges) }, admits: admits.map(named) };
}

/** Carries Service ports by sockets of the process it runs in: opens and closes what is wanted, and keeps trying what cannot be had. */
export class Carrier {
  readonly #ground: CarrierGround;
  readonly #ports = new Map<string, Port>();
  /** By protocol, address and port. */
  readonly #wanted = new Map<string, Wanted>();
  #own: Own = { callable: ownAddresses(false), all: ownAddresses(true) };
  #anyAddress = false;
  #told = "[]";
  #cancel: () => void = () => {};

  constructor(ground: CarrierGround) {
    this.#ground = ground;
    this.#again();
  }

  /** Makes true what is asked, and reports when every socket that can be opened is. */
  set({ seq, full, anyAddress, ports }: CarrierRequest): void {
    this.#anyAddress = anyAddress;
    const next = new Map(ports);
    if (full) for (const id of this.#ports.keys()) if (!next.has(id)) next.set(id, null);
    const released = new Set<string>();
    for (const id of next.keys()) {
      const port = this.#ports.get(id);
      if (port !== undefined) for (const { key } of this.#places(port.plan)) released.add(key);
    }
    for (const [id, plan] of next) if (plan !== null) this.#lead(id, plan, released);
    // What nobody took over goes after all else is there: a socket may change its Service without a gap.
    for (const key of released) this.#close(key, next);
    for (const [id, plan] of next) {
      if (plan !== null) continue;
      this.#ports.get(id)?.leave();
      this.#ports.delete(id);
    }
    // A socket may be bound and then not be able to listen: that is told a turn later.
    setImmediate(() => this.#report(seq));
  }

  #lead(id: string, plan: CarriedPort, released: Set<string>): void {
    let port = this.#ports.get(id);
    if (port === undefined) this.#ports.set(id, (port = new Port(plan, this.#ground)));
    else port.update(plan);
    for (const { key, ip, number, entrance } of this.#places(plan)) {
      released.delete(key);
      const leads = { port, entrance };
      const was = this.#wanted.get(key);
      if (was === undefined) this.#open(key, { ...leads, ip, number, listener: undefined, code: undefined });
      else {
        this.#wanted.set(key, { ...was, ...leads });
        was.listener?.lead(leads);
        if (was.listener === undefined) this.#open(key, this.#wanted.get(key)!);
      }
    }
  }

  #places(plan: CarriedPort): { key: string; ip: string; number: number; entrance: Entrance }[] {
    return plan.entrances.flatMap((planned) => {
      const entrance = withOwn(planned, this.#own.all[plan.family]);
      const { port: first, lastPort = first } = entrance;
      const ips = EVERY.has(entrance.ip) ? this.#own.callable[plan.family] : [entrance.ip];
      return ips.flatMap((ip) =>
        Array.from({ length: lastPort - first + 1 }, (_, at) => {
          const number = first + at;
          return { key: `${plan.protocol} ${ip} ${number}`, ip, number, entrance };
        }),
      );
    });
  }

  #open(key: string, wanted: Wanted): void {
    this.#wanted.set(key, wanted);
    const { ip, number, port } = wanted;
    const lost = (error: unknown): void => {
      const now = this.#wanted.get(key);
      if (now === undefined) return;
      now.listener?.close();
      now.listener = undefined;
      now.code = codeOf(error);
    };
    try {
      const place = { ip, port: number, anyAddress: this.#anyAddress };
      const ground = { clock: this.#ground.clock, idle: this.#ground.udpIdleTimeout };
      wanted.listener = listen(port.plan.protocol, place, wanted, ground, lost);
      wanted.code = undefined;
    } catch (error) {
      lost(error);
    }
  }

  #close(key: string, next: ReadonlyMap<string, CarriedPort | null>): void {
    const wanted = this.#wanted.get(key);
    // Somebody whom this request does not touch may have it by now.
    if (wanted === undefined || !next.has(wanted.port.plan.id)) return;
    wanted.listener?.close();
    this.#wanted.delete(key);
  }

  #report(seq?: number): void {
    const refused: Refused[] = [];
    for (const { ip, number, code, port } of this.#wanted.values()) {
      if (code === undefined) continue;
      const { id, service, protocol } = port.plan;
      refused.push({ id, service, protocol, ip, port: number, code });
    }
    const text = JSON.stringify(refused);
    if (seq === undefined && text === this.#told) return;
    this.#told = text;
    this.#ground.report(seq === undefined ? { refused } : { seq, refused });
  }

  /** What another program had may be free now, and the machine may have other addresses. */
  #again(): void {
    this.#cancel = this.#ground.clock.after(AGAIN, () => {
      const own = { callable: ownAddresses(false), all: ownAddresses(true) };
      if (isDeepStrictEqual(own, this.#own)) {
        for (const [key, wanted] of this.#wanted) if (wanted.listener === undefined) this.#open(key, wanted);
      } else this.#readdress(own);
      setImmediate(() => this.#report());
      this.#again();
    });
  }

  /** The machine has other addresses now. */
  #readdress(own: Own): void {
    const released = new Set(this.#wanted.keys());
    this.#own = own;
    const plans = new Map([...this.#ports].map(([id, { plan }]) => [id, plan] as const));
    for (const [id, plan] of plans) this.#lead(id, plan, released);
    for (const key of released) this.#close(key, plans);
  }

  /** Ends all of it. */
  close(): void {
    this.#cancel();
    for (const { listener } of this.#wanted.values()) listener?.close();
    this.#wanted.clear();
    for (const port of this.#ports.values()) port.leave();
    this.#ports.clear();
  }
}
