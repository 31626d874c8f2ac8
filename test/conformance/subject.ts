import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { createAuthority, type ClientOptions, type Pair } from "../apiserver/certificates.ts";
import { startFairlead } from "./fairlead.ts";
import { startKubernetes } from "./kubernetes.ts";

export interface Answered {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- answers are looked into by the tests
  readonly body: any;
}

export interface AskOptions {
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** Whose certificate; the administrator's unless said otherwise. */
  readonly as?: "admin" | "anonymous" | Pair;
  /** A bearer token instead of a certificate. */
  readonly token?: string;
}

/** What a server under test is started with. */
export interface SubjectOptions {
  readonly serviceRanges?: readonly string[];
  readonly nodePortRange?: { readonly first: number; readonly last: number };
  /** Whether the controllers run beside it. */
  readonly controllers?: boolean;
  /** More flags of kube-apiserver, each of which Fairlead has too. */
  readonly denyExternalIPs?: boolean;
  /** Whether pods are given ServiceAccounts and their tokens, which must be there then. */
  readonly serviceAccounts?: boolean;
}

export interface Endpoint {
  readonly port: number;
  close(): Promise<void>;
}

/** An API server under test: Fairlead's, or the real one, which judges whether a test says what Kubernetes does. */
export interface Subject {
  readonly isFairlead: boolean;
  readonly port: number;
  readonly ca: string;
  readonly admin: Pair;
  ask(method: string, path: string, body?: unknown, options?: AskOptions): Promise<Answered>;
  /** Opens a request whose answer is read as it comes. */
  open(method: string, path: string, options?: AskOptions): Promise<IncomingMessage>;
  /** A certificate for a user: `CN=jane` or `O=team, CN=jane`. */
  client(subject: string, options?: ClientOptions): Promise<Pair>;
  close(): Promise<void>;
}

/** The real kube-apiserver, when `SUBJECT=kubernetes` asks for it: `KUBE_APISERVER` names the binary. */
export const isFairlead = process.env["SUBJECT"] !== "kubernetes";

/** Starts a server with what every cluster has, on a loopback port. */
export async function startSubject(options: SubjectOptions = {}): Promise<Subject> {
  const authority = await createAuthority();
  const [server, admin] = await Promise.all([authority.server(), authority.client("O=system:masters, CN=admin")]);
  const given = { ca: authority.cert, server, admin, ...options };
  const started = await (isFairlead ? startFairlead(given) : startKubernetes(given));

  const open = (method: string, path: string, body: Buffer | undefined, asked: AskOptions): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const { as = "admin", token, headers } = asked;
      const pair = token !== undefined || as === "anonymous" ? undefined : as === "admin" ? admin : as;
      const request = httpsRequest(
        {
          host: "127.0.0.1",
          port: started.port,
          method,
          path,
          ca: authority.cert,
          agent: false,
          headers: {
            ...(body === undefined ? {} : { "content-length": body.length }),
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...headers,
          },
          ...(pair === undefined ? {} : { key: pair.key, cert: pair.cert }),
        },
        resolve,
      );
      request.on("error", reject);
      request.end(body);
    });
  return {
    isFairlead,
    port: started.port,
    ca: authority.cert,
    admin,
    client: (subject, asked) => authority.client(subject, asked),
    open: (method, path, asked = {}) => open(method, path, undefined, asked),
    async ask(method, path, body, asked = {}) {
      const isText = typeof body === "string" || Buffer.isBuffer(body);
      const bytes = body === undefined ? undefined : Buffer.from(isText ? (body as string) : JSON.stringify(body));
      const headers = { ...(bytes === undefined ? {} : { "content-type": "application/json" }), ...asked.headers };
      const message = await open(method, path, bytes, { ...asked, headers });
      let text = "";
      for await (const chunk of message) text += String(chunk);
      let parsed: unknown;
      try {
        parsed = JSON.parse(text);
      } catch {
        parsed = undefined;
      }
      return { code: message.statusCode ?? 0, headers: message.headers, text, body: parsed };
    },
    close: () => started.close(),
  };
}
