import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { echoService, failure, type EchoMessage } from "../echo-service.ts";
import type { PodSpecification } from "../behaviour.ts";
import type { Journal, RunningPod } from "./running-pod.ts";

/** A pod that serves `lab.Echo`. */
export async function openGrpcPod(pod: PodSpecification, journal: Journal): Promise<RunningPod> {
  const server = new Server({ "grpc.max_receive_message_length": 1 << 27 });
  const note = (name: string, metadata: Metadata): ReturnType<Journal["note"]> =>
    journal.note({
      pod: pod.name,
      uid: pod.uid,
      connection: 0,
      method: "POST",
      target: `/lab.Echo/${name}`,
      version: "2.0",
      headers: Object.entries(metadata.getMap()).map(([key, value]) => [key, String(value)]),
      trailers: {},
      length: 0,
      sha256: "",
      serverName: undefined,
      peer: undefined,
      outcome: "under way",
    });
  server.addService(echoService, {
    once(call: ServerUnaryCall<EchoMessage, EchoMessage>, callback: sendUnaryData<EchoMessage>) {
      note("Once", call.metadata).outcome = "ended";
      const trailers = new Metadata();
      trailers.set("x-pod", pod.name);
      callback(null, { text: call.request.text, pod: pod.name }, trailers);
    },
    fail(call: ServerUnaryCall<EchoMessage, EchoMessage>, callback: sendUnaryData<EchoMessage>) {
      note("Fail", call.metadata).outcome = "ended";
      callback(failure(call.request.text));
    },
    many(call: ServerWritableStream<EchoMessage, EchoMessage>) {
      const noted = note("Many", call.metadata);
      call.on("cancelled", () => (noted.outcome = "aborted"));
      for (let i = 0; i < (call.request.count ?? 1); i++)
        call.write({ text: `${call.request.text} ${i}`, pod: pod.name });
      noted.outcome = "ended";
      call.end();
    },
    chat(call: ServerDuplexStream<EchoMessage, EchoMessage>) {
      const noted = note("Chat", call.metadata);
      call.on("cancelled", () => (noted.outcome = "aborted"));
      call.on("error", () => undefined);
      call.on("data", (message: EchoMessage) => call.write({ text: message.text, pod: pod.name }));
      call.on("end", () => {
        noted.outcome = "ended";
        call.end();
      });
    },
  });
  const credentials =
    pod.protocol === "grpcs"
      ? ServerCredentials.createSsl(null, [
          { cert_chain: Buffer.from(pod.certificate ?? ""), private_key: Buffer.from(pod.key ?? "") },
        ])
      : ServerCredentials.createInsecure();
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`${pod.address}:${pod.port}`, credentials, (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return {
    connections: () => 0,
    end: async () => new Promise((resolve) => server.tryShutdown(() => resolve())),
    kill: async () => server.forceShutdown(),
  };
}
