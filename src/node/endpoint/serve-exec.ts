import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { ApiError } from "../../api/status.ts";
import type { Log } from "../../observe/log.ts";
import type { ContainerAddress, PodSource } from "../pods/pod-source.ts";
import type { Execution } from "../runtimes/runtime.ts";
import { execRequest } from "./exec/exec-request.ts";
import type { ExecChannels, WantedStreams } from "./exec/exec-channels.ts";
import { holdOutput } from "./exec/hold-output.ts";
import { runExec } from "./exec/run-exec.ts";
import { spdyChannels, spdyHandshake } from "./spdy/channels.ts";
import { webSocketChannels } from "./websocket/channels.ts";
import { webSocketHandshake } from "./websocket/handshake.ts";

/** How a client's streams are had from its connection once the upgrade is answered. */
interface Protocol {
  readonly answer: string;
  open(socket: Duplex, head: Buffer, wanted: WantedStreams): ExecChannels | Promise<ExecChannels>;
}

function protocolOf(request: IncomingMessage): Protocol {
  const { headers } = request;
  const upgrade = headers.upgrade?.toLowerCase();
  if (upgrade === "websocket") {
    const { subprotocol, answer } = webSocketHandshake(headers);
    return { answer, open: (socket, head, wanted) => webSocketChannels(socket, head, subprotocol, wanted) };
  }
  if (upgrade === "spdy/3.1") return { answer: spdyHandshake(headers), open: spdyChannels };
  throw new ApiError(
    "BadRequest",
    `Upgrade: ${JSON.stringify(headers.upgrade ?? "")} is not spoken here; it must be websocket or SPDY/3.1`,
  );
}

/**
 * Runs the command that an upgrade request asks for and joins it to the client's streams. Resolves when the connection is done with.
 * Throws, with nothing said on the connection, what is wrong with the request or with starting the command.
 */
export async function serveExec(
  source: PodSource,
  at: ContainerAddress,
  query: URLSearchParams,
  { request, socket, head, log }: { request: IncomingMessage; socket: Duplex; head: Buffer; log: Log },
): Promise<void> {
  const { command, streams } = execRequest(query);
  const protocol = protocolOf(request);
  const execution: Execution = holdOutput(await source.exec(at, { command, stdin: streams.stdin }));
  let channels: ExecChannels;
  try {
    socket.write(protocol.answer);
    channels = await protocol.open(socket, head, streams);
  } catch (error) {
    log.debug({ error: (error as Error).message }, "a client did not open the streams of its command");
    execution.kill();
    execution.stdout.resume();
    execution.stderr.resume();
    socket.destroy();
    return;
  }
  await runExec(execution, channels, log);
}
