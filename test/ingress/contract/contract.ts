import type { EngineSubject } from "../lab/door.ts";
import { affinityExamples } from "./affinity.ts";
import { classExamples } from "./classes.ts";
import { hostExamples } from "./hosts.ts";
import { http2Examples } from "./http2.ts";
import { messageExamples } from "./messages.ts";
import { pathExamples } from "./paths.ts";
import { retryExamples } from "./retries.ts";
import { serviceExamples } from "./services.ts";
import { streamingExamples } from "./streaming.ts";
import { tlsExamples } from "./tls.ts";
import { webSocketExamples } from "./websocket.ts";
import { accessExamples } from "./access.ts";
import { badInputExamples } from "./bad-input.ts";
import { changeExamples } from "./changes.ts";
import { rewritingExamples } from "./rewriting.ts";
import { smugglingExamples } from "./smuggling.ts";

/** What whoever carries Ingress does, seen from outside: by clients in front of it and pods behind it. */
export function ingressContract(subject: EngineSubject): void {
  hostExamples(subject);
  pathExamples(subject);
  serviceExamples(subject);
  classExamples(subject);
  tlsExamples(subject);
  messageExamples(subject);
  streamingExamples(subject);
  http2Examples(subject);
  webSocketExamples(subject);
  retryExamples(subject);
  affinityExamples(subject);
  accessExamples(subject);
  badInputExamples(subject);
  changeExamples(subject);
  rewritingExamples(subject);
  smugglingExamples(subject);
}
