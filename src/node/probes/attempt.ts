import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import type { Container, Probe } from "../../api/generated/types.ts";
import { hostPort } from "../../net/ip.ts";
import type { Execution } from "../runtimes/runtime.ts";
import type { ProbeResult } from "./result.ts";

/* Imported as a module, node:http brings all of fetch and WebSocket with it: 40 ms of every start. */
const { request: httpRequest } = process.getBuiltinModule("node:http");

export interface ProbeTarget {
  readonly podIP: string;
  readonly container: Container;
  exec(command: readonly string[]): Promise<Execution>;
}

/** A port by number or by its name among the container's. */
function portOf(container: Container, port: number | string): number {
  const number = typeof port === "number" ? port : Number(port);
  if (Number.isInteger(number)) return number;
  const named = container.ports?.find(({ name }) => name === port)?.containerPort;
  if (named === undefined) throw new Error(`the container has no port named ${JSON.stringify(port)}`);
  return named;
}

function httpGet(
  action: NonNullable<Probe["httpGet"]>,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const port = portOf(target.container, action.port);
  const host = action.host || target.podIP;
  const secure = action.scheme === "HTTPS";
  const headers: Record<string, string> = {
    "User-Agent": "kube-probe/1.36",
    Accept: "*/*",
    Host: hostPort(host, port),
  };
  for (const { name, value } of action.httpHeaders ?? []) headers[name] = value;
  const options = { host, port, path: action.path || "/", headers, agent: false as const, signal };
  return new Promise((resolve, reject) => {
    const request = secure ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options);
    request.once("error", reject);
    request.once("response", (response) => {
      response.once("error", () => {});
      response.resume();
      const code = response.statusCode ?? 0;
      // The body does not matter, and may be endless.
      response.destroy();
      resolve({ ok: code >= 200 && code < 400, message: `HTTP probe failed with statuscode: ${code}` });
    });
    request.end();
  });
}

function tcpSocket(
  action: NonNullable<Probe["tcpSocket"]>,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const port = portOf(target.container, action.port);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: action.host || target.podIP, port, signal });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.destroy();
      resolve({ ok: true, message: "" });
    });
  });
}

async function exec(command: readonly string[], target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const execution = await target.exec(command);
  let said = "";
  const hear = (chunk: Buffer): void => {
    if (said.length < 1024) said += chunk.toString();
  };
  execution.stdout.on("data", hear);
  execution.stderr.on("data", hear);
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => {
      execution.kill();
      reject(new Error("the command did not end in time"));
    });
  });
  const code = await Promise.race([execution.ended, aborted]);
  return { ok: code === 0, message: said.trim() || `exit code ${code}` };
}

/** Asks once (CTL-105). Never throws: whatever goes wrong is a failed probe. */
export async function attempt(probe: Probe, target: ProbeTarget, stopping: AbortSignal): Promise<ProbeResult> {
  const signal = AbortSignal.any([stopping, AbortSignal.timeout((probe.timeoutSeconds ?? 1) * 1000)]);
  try {
    if (probe.httpGet !== undefined) return await httpGet(probe.httpGet, target, signal);
    if (probe.tcpSocket !== undefined) return await tcpSocket(probe.tcpSocket, target, signal);
    if (probe.exec !== undefined) return await exec(probe.exec.command ?? [], target, signal);
    return { ok: false, message: "only exec, httpGet and tcpSocket probes are supported" };
  } catch (error) {
    return { ok: false, message: (error as Error).message };
  }
}
