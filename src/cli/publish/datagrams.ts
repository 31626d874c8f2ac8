import { createSocket } from "node:dgram";
import { connect, type Socket } from "node:net";
import type { Clock } from "../../observe/clock.ts";

/** A datagram on a stream: its length in two bytes, big-endian, then itself. */
export function frameOf(datagram: Uint8Array): Buffer {
  const frame = Buffer.alloc(2 + datagram.length);
  frame.writeUInt16BE(datagram.length);
  frame.set(datagram, 2);
  return frame;
}

/** Takes a stream's chunks; gives each datagram that is whole. */
export function readFrames(take: (datagram: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE()) {
      const end = 2 + rest.readUInt16BE();
      take(rest.subarray(2, end));
      rest = rest.subarray(end);
    }
  };
}

/** Bytes that may wait to be read by the other side; datagrams beyond that are lost, as they are on any wire. */
const MOST_WAITING = 1 << 20;

/** Joins a connection that carries frames with an address; whichever ends first ends the other. */
export function joinDatagrams(frames: Socket, ip: string, port: number): void {
  const socket = createSocket(ip.includes(":") ? "udp6" : "udp4");
  const waiting: Buffer[] = [];
  let isConnected = false;
  let isOpen = true;
  const end = (): void => {
    frames.destroy();
    if (isOpen) socket.close();
    isOpen = false;
  };
  socket.on("error", end);
  frames.on("error", end).on("close", end).on("end", end);
  socket.on("message", (datagram) => {
    if (frames.writableLength < MOST_WAITING) frames.write(frameOf(datagram));
  });
  socket.connect(port, ip, () => {
    isConnected = true;
    for (const datagram of waiting.splice(0)) socket.send(datagram, (error) => error && end());
  });
  frames.on(
    "data",
    readFrames((datagram) => {
      if (!isOpen) return;
      if (isConnected) socket.send(datagram, (error) => error && end());
      else if (waiting.length < 32) waiting.push(datagram);
    }),
  );
}

interface Flow {
  readonly frames: Socket;
  used: number;
}

export interface PublishedDatagrams {
  readonly port: number;
  /** The dialer's socket, and what is asked of it. */
  readonly dialer: string;
  readonly request: string;
  readonly clock: Clock;
  readonly failed: (error: Error) => void;
}

/** Milliseconds without a datagram after which a caller's flow ends. */
const IDLE = 10_000;

/** Makes datagrams to a port of 127.0.0.1 reach what the dialer joins them with: a connection to it for each caller. Answers what ends it. */
export function publishDatagrams({ port, dialer, request, clock, failed }: PublishedDatagrams): { close(): void } {
  const flows = new Map<string, Flow>();
  const socket = createSocket("udp4");
  const open = (key: string, address: string, callersPort: number): Flow => {
    const frames = connect({ path: dialer });
    const flow: Flow = { frames, used: clock.now() };
    frames.write(`${request}\n`);
    frames.on(
      "data",
      readFrames((datagram) => {
        flow.used = clock.now();
        socket.send(datagram, callersPort, address, () => {});
      }),
    );
    frames.on("error", () => {});
    frames.on("close", () => flows.delete(key));
    flows.set(key, flow);
    return flow;
  };
  let cancel = (): void => {};
  const sweep = (): void => {
    cancel = clock.after(IDLE / 2, () => {
      for (const { frames, used } of flows.values()) if (used + IDLE <= clock.now()) frames.destroy();
      sweep();
    });
  };
  sweep();
  socket.on("message", (datagram, { address, port: callersPort }) => {
    const key = `${address} ${callersPort}`;
    const flow = flows.get(key) ?? open(key, address, callersPort);
    flow.used = clock.now();
    if (flow.frames.writableLength < MOST_WAITING) flow.frames.write(frameOf(datagram));
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.syscall === "bind") failed(error);
  });
  socket.bind({ port, address: "127.0.0.1", exclusive: true });
  return {
    close() {
      cancel();
      socket.removeAllListeners("message").on("error", () => {});
      for (const { frames } of flows.values()) frames.destroy();
      socket.close();
    },
  };
}
