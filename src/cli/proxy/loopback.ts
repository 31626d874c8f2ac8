import type { AnyEngine } from "../../proxy/engine.ts";
import type { Aftermath } from "../../proxy/proxy.ts";
import type { EngineGround } from "../proxy-engines.ts";

/** Milliseconds without a datagram after which a flow through loopback ends. */
const UDP_IDLE_TIMEOUT = 10_000;

/** Who carries node ports on loopback in the families in which the engine itself cannot: nobody, where it can in all. */
export async function besideOnLoopback({ abilities }: AnyEngine, ground: EngineGround): Promise<readonly Aftermath[]> {
  const lacking = ground.families.filter(
    (family) => abilities[family === "IPv4" ? "loopbackNodePorts" : "loopbackNodePortsIPv6"] !== true,
  );
  if (lacking.length === 0) return [];
  const [{ loopbackNodePorts }, { carrierProcess }] = await Promise.all([
    import("../../proxy/engines/userspace/loopback.ts"),
    import("../../proxy/engines/userspace/carrier-process.ts"),
  ]);
  const { host, log } = ground;
  const open: Parameters<typeof loopbackNodePorts>[0]["open"] = (onRefused) =>
    carrierProcess(host, { udpIdleTimeout: UDP_IDLE_TIMEOUT, onRefused });
  return [loopbackNodePorts({ families: lacking, log, open })];
}
