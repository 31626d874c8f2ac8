import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import { hostPort } from "../../net/ip.ts";
import { healthRequest, healthStatus } from "./health-message.ts";
import type { ProbeResult } from "./result.ts";

/** No health answer is longer; in bytes. */
const LIMIT = 4096;
const OK = "0";
const UNIMPLEMENTED = "12";

interface GrpcAnswer {
  readonly body: Buffer;
  /** `grpc-status`, as sent in the trailers, or in the headers where there is nothing else. */
  readonly status: string;
  readonly message: string;
}

/** Messages are percent-encoded on their way (gRPC over HTTP/2); one that is not, as it came. */
function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}

function call(session: ClientHttp2Session, body: Buffer, signal: AbortSignal): Promise<GrpcAnswer> {
  const stream = session.request(
    {
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      "user-agent": "kube-probe/1.36",
      te: "trailers",
    },
    { signal },
  );
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let told: IncomingHttpHeaders = {};
    session.once("error", reject);
    stream.once("error", reject);
    stream.on("response", (headers) => {
      told = { ...told, ...headers };
    });
    stream.on("trailers", (trailers) => {
      told = { ...told, ...trailers };
    });
    stream.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > LIMIT) stream.destroy(new Error(`the answer is longer than ${LIMIT} bytes`));
      else chunks.push(chunk);
    });
    stream.once("close", () => {
      const status = told["grpc-status"];
      if (typeof status !== "string") {
        return reject(new Error(`the answer has no grpc-status: HTTP status ${String(told[":status"] ?? "none")}`));
      }
      const message = decoded(String(told["grpc-message"] ?? ""));
      resolve({ body: Buffer.concat(chunks), status, message });
    });
    stream.end(body);
  });
}

/** Asks `grpc.health.v1.Health/Check` without TLS (CTL-105). Throws when there is no answer. */
export async function grpc(host: string, port: number, service: string, signal: AbortSignal): Promise<ProbeResult> {
  // Loaded by the first such probe: hardly any pod has one, and it takes its time.
  const { connect } = process.getBuiltinModule("node:http2");
  const session = connect(`http://${hostPort(host, port)}`);
  const close = (): void => session.destroy();
  signal.addEventListener("abort", close);
  try {
    const answer = await call(session, healthRequest(service), signal);
    if (answer.status === UNIMPLEMENTED) {
      const message = "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)";
      return { ok: false, message: `${message}: ${answer.message}` };
    }
    if (answer.status !== OK) {
      return { ok: false, message: `error: health rpc probe failed: grpc-status ${answer.status}: ${answer.message}` };
    }
    const status = healthStatus(answer.body);
    return status === "SERVING"
      ? { ok: true, message: "service healthy" }
      : { ok: false, message: `service unhealthy (responded with "${status}")` };
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
}
