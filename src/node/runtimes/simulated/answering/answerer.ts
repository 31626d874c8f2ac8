import type { Socket as Datagrams } from "node:dgram";
import type { Socket } from "node:net";
import type { Answering } from "../protocol.ts";
import { echo, onFirstBytes } from "./connection.ts";
import { answeringContainers, isTCP, plainAddress, type AnsweringContainer } from "./containers.ts";
import { echoDatagrams } from "./datagrams.ts";
import type { Door, Gate } from "./gate.ts";
import { httpAnswers } from "./http.ts";
import { tcpListeners } from "./listeners.ts";
import { requestLog } from "./request-log.ts";

/** How long nobody may have come before a container that is asked to end does, in milliseconds. */
const QUIET = 500;
/** How long those that were let in at the last moment have to be heard. */
const LAST_MOMENT = 30;
const LOOK = 50;

/** Answers at addresses and ports of the network namespace this process is in. */
export interface Answerer {
  /** Throws when an address or a port cannot be had. */
  open(answering: Answering): Promise<void>;
  /** Resolves when all that came were answered and nobody has come for a while. */
  drain(id: number): Promise<void>;
  shut(id: number): Promise<void>;
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

export function createAnswerer(gate: Gate): Answerer {
  const containers = answeringContainers();
  const datagrams = new Map<number, Datagrams[]>();
  const log = requestLog(Date.now);
  const now = (): number => performance.now();
  const owners = new WeakMap<Socket, AnsweringContainer>();
  const ownerOf = (socket: Socket): AnsweringContainer | undefined => owners.get(socket);
  const http = httpAnswers(ownerOf, log, now);
  let http2: Promise<(socket: Socket) => void> | undefined;

  const answerHttp2 = async (socket: Socket): Promise<void> => {
    http2 ??= import("./http2.ts").then(({ http2Answers }) => http2Answers(ownerOf, log, now));
    (await http2)(socket);
  };

  const connected = (socket: Socket): void => {
    const container = containers.at(plainAddress(socket.localAddress), socket.localPort ?? 0);
    if (container === undefined) return void socket.resetAndDestroy();
    owners.set(socket, container);
    container.lastCame = now();
    container.connections.add(socket);
    socket.once("close", () => container.connections.delete(socket));
    socket.on("error", () => socket.destroy());
    onFirstBytes(socket, (speech) => {
      if (speech === "http") return http(socket);
      if (speech === "http2") return void answerHttp2(socket);
      log.line(container.log, `connection to ${socket.localPort} from ${plainAddress(socket.remoteAddress)}: echo`);
      echo(socket);
    });
  };
  const listeners = tcpListeners(connected);

  const doorsOf = ({ addresses, ports }: Answering): Door[] =>
    addresses.flatMap((address) => ports.filter(isTCP).map(({ port }) => ({ address, port })));

  /** In the order in which they must come: nobody is let in before there is somebody. */
  const open = async (answering: Answering): Promise<void> => {
    const container = containers.add(answering);
    const taken: number[] = [];
    const sockets: Datagrams[] = [];
    datagrams.set(answering.id, sockets);
    try {
      for (const { protocol, port } of answering.ports) {
        if (protocol === "TCP") {
          await listeners.take(port);
          taken.push(port);
          continue;
        }
        const came = (): void => {
          container.lastCame = now();
        };
        for (const address of answering.addresses) sockets.push(await echoDatagrams(address, port, came));
      }
      await gate.open(doorsOf(answering));
    } catch (error) {
      for (const port of taken) listeners.release(port);
      for (const socket of sockets) socket.close();
      datagrams.delete(answering.id);
      containers.remove(answering.id);
      throw error;
    }
  };

  const quiet = async (container: AnsweringContainer): Promise<void> => {
    while (container.underWay > 0 || now() - container.lastCame < QUIET) await pause(LOOK);
  };

  /** From here on nobody is let in. */
  const close = async (container: AnsweringContainer): Promise<void> => {
    await gate.close(doorsOf(container));
    for (const socket of datagrams.get(container.id) ?? []) socket.close();
    datagrams.delete(container.id);
  };

  const leave = async (container: AnsweringContainer): Promise<void> => {
    containers.remove(container.id);
    for (const port of container.ports.filter(isTCP)) listeners.release(port.port);
    await log.end(container.log);
  };

  return {
    open,
    async drain(id) {
      const container = containers.all.get(id);
      if (container === undefined) return;
      container.isDraining = true;
      await quiet(container);
      if (!containers.all.has(id)) return;
      await close(container);
      await pause(LAST_MOMENT);
      while (container.underWay > 0) await pause(LOOK);
      if (!containers.all.has(id)) return;
      for (const socket of container.connections) socket.end();
      await leave(container);
      await pause(LAST_MOMENT);
      for (const socket of container.connections) socket.destroy();
    },
    async shut(id) {
      const container = containers.all.get(id);
      if (container === undefined) return;
      const isOpen = datagrams.has(id);
      for (const socket of container.connections) socket.resetAndDestroy();
      const leaving = leave(container);
      if (isOpen) await close(container);
      await leaving;
    },
  };
}
