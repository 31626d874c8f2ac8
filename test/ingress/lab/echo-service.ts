import { Metadata, type MethodDefinition, type ServiceError } from "@grpc/grpc-js";

/** What every method of the lab's gRPC service takes and gives. */
export interface EchoMessage {
  readonly text: string;
  /** Of an answer: who gives it. */
  readonly pod?: string;
  /** Of a request to Many: how many are asked for. */
  readonly count?: number;
}

const method = (
  name: string,
  requestStream: boolean,
  responseStream: boolean,
): MethodDefinition<EchoMessage, EchoMessage> => {
  const serialize = (message: EchoMessage): Buffer => Buffer.from(JSON.stringify(message));
  const deserialize = (bytes: Buffer): EchoMessage => JSON.parse(bytes.toString()) as EchoMessage;
  return {
    path: `/lab.Echo/${name}`,
    requestStream,
    responseStream,
    requestSerialize: serialize,
    requestDeserialize: deserialize,
    responseSerialize: serialize,
    responseDeserialize: deserialize,
  };
};

/** `lab.Echo`; messages are JSON, as what is in them is nobody's business on the way. */
export const echoService = {
  /** Answers the text and who it is. */
  once: method("Once", false, false),
  /** Ends with ABORTED and a trailer `x-why`. */
  fail: method("Fail", false, false),
  /** Answers so many messages. */
  many: method("Many", false, true),
  /** Answers each message as it comes. */
  chat: method("Chat", true, true),
};

/** The error of `fail`. */
export function failure(text: string): Partial<ServiceError> {
  const metadata = new Metadata();
  metadata.set("x-why", text);
  return { code: 10, details: `as you wish: ${text}`, metadata };
}
