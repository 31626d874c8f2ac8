import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { PodSource } from "../pods/pod-source.ts";
import { commandOf, wantedStreams } from "./exec/exec-request.ts";
import type { ExecChannels, WantedStreams } from "./exec/exec-channels.ts";
import { join, ofAttachment, ofExecution, type Joinable } from "./exec/run-exec.ts";
import { CHANNELS as SPDY_CHANNELS, spdyChannels, spdyHandshake } from "./spdy/channels.ts";
import type { Target } from "./target.ts";
import { upgradeOf, type UpgradeRequest } from "./upgrade.ts";
import { webSocketChannels } from "./websocket/channels.ts";
import { CHANNELS, webSocketHandshake } from "./websocket/handshake.ts";

/** How a client's streams are had from its connection once the upgrade is answered. */
interface Protocol {
  readonly answer: string;
  open(socket: Duplex, head: Buffer, wanted: WantedStreams): ExecChannels | Promise<ExecChannels>;
}

function protocolOf(request: IncomingMessage): Protocol {
  const { headers } = request;
  if (upgradeOf(request) === "spdy/3.1") return { answer: spdyHandshake(headers, SPDY_CHANNELS), open: spdyChannels };
  const { subprotocol, answer } = webSocketHandshake(headers, CHANNELS);
  return { answer, open: (socket, head, wanted) => webSocketChannels(socket, head, subprotocol, wanted) };
}

async function programOf(source: PodSource, target: Target, wanted: WantedStreams): Promise<Joinable> {
  const { stdin, tty } = wanted;
  if (target.operation === "attach") return ofAttachment(await source.attach(target.at, { stdin }));
  return ofExecution(await source.exec(target.at, { command: commandOf(target.query), stdin, tty }));
}

/**
 * Joins a client to the command that its request names, or for `/attach` to the container's own program. Resolves when the connection is
 * done with. Throws, with nothing said on the connection, what is wrong with the request or with starting the command.
 */
export async function serveExec(
  source: PodSource,
  target: Target,
  { request, socket, head, log }: UpgradeRequest,
): Promise<void> {
  const wanted = wantedStreams(target.query);
  const protocol = protocolOf(request);
  const program = await programOf(source, target, wanted);
  let channels: ExecChannels;
  try {
    socket.write(protocol.answer);
    channels = await protocol.open(socket, head, wanted);
  } catch (error) {
    log.debug({ error: (error as Error).message }, "a client did not open the streams of its command");
    program.leave();
    program.stdout.resume();
    program.stderr.resume();
    socket.destroy();
    return;
  }
  await join(program, channels, log);
}
