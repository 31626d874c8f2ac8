import { createSocket, type Socket as Datagrams } from "node:dgram";
import { createServer, type Server } from "node:net";
import { boundSocket, filterSocket } from "../../../../host/listening-socket.ts";
import { LibcError } from "../../../../host/libc.ts";
import { sourceFilter } from "../../../../host/socket-filter.ts";
import type { Entrance } from "./carried.ts";
import type { Port } from "./port.ts";
import { isAdmitted } from "./source.ts";
import { carryConnection } from "./tcp.ts";
import { Flows, type FlowsGround } from "./udp.ts";

/** What a socket leads to now. */
export interface Leads {
  readonly port: Port;
  readonly entrance: Entrance;
}

/** One open socket on one address and port. */
export interface Listener {
  /** Leads elsewhere from now on; the socket stays, with whoever is in its queue. */
  readonly lead: (leads: Leads) => void;
  close(): void;
}

/** As long as the kernel allows (`net.core.somaxconn`). */
const BACKLOG = 4096;
const NAMES: Readonly<Record<number, string>> = {
  1: "EPERM",
  13: "EACCES",
  24: "EMFILE",
  98: "EADDRINUSE",
  99: "EADDRNOTAVAIL",
};

/** The errno(3) name of why a socket could not be opened. */
export const codeOf = (error: unknown): string =>
  error instanceof LibcError
    ? (NAMES[error.errno] ?? `errno ${error.errno}`)
    : ((error as NodeJS.ErrnoException).code ?? (error as Error).message);

export interface Place {
  readonly ip: string;
  readonly port: number;
  readonly anyAddress: boolean;
}

/** Where the filter would be too long for the kernel, callers are looked at when they come. */
const filterOf = ({ admits }: Entrance): ReturnType<typeof sourceFilter> =>
  admits.length === 0 ? undefined : sourceFilter(admits);
const isWelcome = (entrance: Entrance, caller: string): boolean =>
  entrance.admits.length === 0 || isAdmitted(entrance, caller);

/** What both kinds share: a filter that follows where the socket leads. */
function following(fd: number, first: Leads): { readonly now: () => Leads; readonly lead: (leads: Leads) => void } {
  let leads = first;
  return {
    now: () => leads,
    lead(next) {
      const before = leads;
      leads = next;
      if (JSON.stringify(before.entrance.admits) !== JSON.stringify(next.entrance.admits)) {
        filterSocket(fd, filterOf(next.entrance));
      }
    },
  };
}

/** Listens for connections. `lost` is told when the socket cannot listen after all, or ends by itself. */
function listenTcp(place: Place, leads: Leads, lost: (error: unknown) => void): Listener {
  const fd = boundSocket({ protocol: "TCP", ...place, filter: filterOf(leads.entrance) });
  const { now, lead } = following(fd, leads);
  const server: Server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (incoming) => {
    const { port, entrance } = now();
    if (isWelcome(entrance, incoming.remoteAddress ?? "")) void carryConnection(incoming, port, entrance);
    else incoming.resetAndDestroy();
  });
  server.on("error", lost);
  server.listen({ fd, backlog: BACKLOG });
  return { lead, close: () => void server.close() };
}

function listenUdp(place: Place, leads: Leads, ground: FlowsGround, lost: (error: unknown) => void): Listener {
  const fd = boundSocket({ protocol: "UDP", ...place, filter: filterOf(leads.entrance) });
  const { now, lead } = following(fd, leads);
  const socket: Datagrams = createSocket(place.ip.includes(":") ? "udp6" : "udp4");
  const flows = new Flows({ socket, ip: place.ip, port: place.port }, ground);
  socket.on("message", (datagram, { address, port: callersPort }) => {
    const { port, entrance } = now();
    if (isWelcome(entrance, address)) flows.take(datagram, address, callersPort, port, entrance);
  });
  // Word that a caller is gone (ICMP) comes as an error of the socket: it is no reason to stop.
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.syscall === "bind") lost(error);
  });
  socket.bind({ fd });
  return {
    lead,
    close() {
      flows.end();
      socket.close();
    },
  };
}

/** Opens a socket. Throws what {@link codeOf} names when it cannot be bound. */
export const listen = (
  protocol: "TCP" | "UDP",
  place: Place,
  leads: Leads,
  ground: FlowsGround,
  lost: (error: unknown) => void,
): Listener => (protocol === "TCP" ? listenTcp(place, leads, lost) : listenUdp(place, leads, ground, lost));
