import type { Probe } from "../../api/generated/types.ts";
import { exec } from "./exec.ts";
import { grpc } from "./grpc.ts";
import { httpGet } from "./http-get.ts";
import type { ProbeResult } from "./result.ts";
import type { ProbeTarget } from "./target.ts";
import { tcpSocket } from "./tcp-socket.ts";

async function ask(probe: Probe, target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  if (probe.httpGet !== undefined) {
    const { status, elsewhere } = await httpGet(probe.httpGet, target, "kube-probe", signal);
    if (status >= 300 && status < 400) {
      const where =
        elsewhere === undefined ? `status ${status}` : `status ${status} leads to another host, ${elsewhere}`;
      return { ok: true, warning: true, message: `Probe terminated redirects: ${where}` };
    }
    return { ok: status >= 200 && status < 400, message: `HTTP probe failed with statuscode: ${status}` };
  }
  if (probe.tcpSocket !== undefined) {
    await tcpSocket(probe.tcpSocket, target, signal);
    return { ok: true, message: "" };
  }
  if (probe.exec !== undefined) return exec(probe.exec.command ?? [], target, signal);
  if (probe.grpc !== undefined) return grpc(target.podIP, probe.grpc.port, probe.grpc.service ?? "", signal);
  return { ok: false, message: "the probe has no action: exec, httpGet, tcpSocket or grpc must be given" };
}

/** What a probe asks, for the message of one that gets no answer. */
function asked({ httpGet: http, tcpSocket: tcp, exec: command, grpc: rpc }: Probe): string {
  if (http !== undefined) return `httpGet ${http.scheme ?? "HTTP"} ${http.path || "/"} at port ${http.port}`;
  if (tcp !== undefined) return `tcpSocket at port ${tcp.port}`;
  if (rpc !== undefined) return `grpc health check at port ${rpc.port}`;
  return `command ${JSON.stringify(command?.command ?? [])}`;
}

/** Asks once (CTL-105). Never throws: whatever goes wrong is a failed probe, and so is no answer within `timeoutSeconds`. */
export async function attempt(probe: Probe, target: ProbeTarget, stopping: AbortSignal): Promise<ProbeResult> {
  const seconds = probe.timeoutSeconds ?? 1;
  const timeout = AbortSignal.timeout(seconds * 1000);
  const signal = AbortSignal.any([stopping, timeout]);
  try {
    return await ask(probe, target, signal);
  } catch (error) {
    if (!timeout.aborted) return { ok: false, message: (error as Error).message };
    return { ok: false, message: `timeout: ${asked(probe)} did not answer within ${seconds} s` };
  }
}
