import type { AnsweringContainer } from "./containers.ts";

/** A request as both versions of HTTP tell it. */
export interface Asked {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** Name and value by turns, as they came. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly address: string;
  readonly port: number;
  readonly client: { readonly address: string; readonly port: number };
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const plain = (status: number, body: string): Answer => ({ status, type: "text/plain; charset=utf-8", body });

const hostPort = (address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

/** What there would be, were there a program. */
const refusal = (path: string): Answer => plain(403, `${path} is refused: this pod is simulated and runs no program\n`);

function everything(container: AnsweringContainer, asked: Asked): Answer {
  const facts = {
    pod: container.pod,
    namespace: container.namespace,
    node: container.node,
    container: container.container,
    address: asked.address,
    port: asked.port,
    client: hostPort(asked.client.address, asked.client.port),
    request: `${asked.method} ${asked.target} HTTP/${asked.version}`,
  };
  const accept = asked.headers.find(([name]) => name.toLowerCase() === "accept")?.[1] ?? "";
  if (/application\/json/.test(accept)) {
    return {
      status: 200,
      type: "application/json",
      body: `${JSON.stringify({ ...facts, headers: asked.headers.map(([name, value]) => ({ name, value })) })}\n`,
    };
  }
  const lines = Object.entries(facts).map(([name, value]) => `${name}: ${value}`);
  return plain(200, `${[...lines, "", ...asked.headers.map(([name, value]) => `${name}: ${value}`)].join("\n")}\n`);
}

/** The paths of agnhost's `netexec` which tests of Services ask for; every other path tells all there is to tell. */
export function answerTo(container: AnsweringContainer, asked: Asked): Answer {
  const url = URL.parse(asked.target, "http://pod");
  switch (url?.pathname ?? "") {
    case "/hostname":
      return plain(200, container.hostname);
    case "/clientip":
      return plain(200, hostPort(asked.client.address, asked.client.port));
    case "/echo":
      return plain(200, url?.searchParams.get("msg") ?? "");
    case "/healthz":
      return plain(200, "ok");
    case "/shell":
    case "/exit":
      return refusal(url?.pathname ?? "");
    default:
      return everything(container, asked);
  }
}
