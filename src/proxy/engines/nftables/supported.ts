import type { Host } from "../../../host/host.ts";
import type { IPFamily } from "../../../net/ip.ts";
import type { Support } from "../../engine.ts";
import { compileNode } from "./frame.ts";
import { shapeLines } from "./shape.ts";

/** Whether nft and the kernel take our layout: nft checks the very text that we load, against the kernel, and applies nothing. */
export async function supported(host: Host, families: readonly IPFamily[]): Promise<Support> {
  if ((await host.which("nft")) === undefined) {
    return {
      supported: false,
      missing: "the tool nft is not installed: install the package nftables (1.0.6 or newer)",
    };
  }
  const frame = compileNode({
    nodeName: "probe",
    families,
    nodePortAddresses: { IPv4: [], IPv6: [] },
    localhostNodePorts: false,
    serviceRanges: [],
    localDetector: { by: "ranges", ranges: [] },
    nodeAddresses: [],
    masqueradeAll: false,
    masqueradeBit: 14,
    forwardOnly: undefined,
  });
  const shapes = families.flatMap((family) => [
    ...shapeLines({ slots: 1, affinity: undefined, local: false }, family),
    ...shapeLines({ slots: 1, affinity: 1, local: true }, family),
  ]);
  const input = `${[...frame.lines, ...shapes].join("\n")}\n`;
  const { code, stderr } = await host.run("nft", ["-c", "-f", "-"], { input });
  if (code === 0) return { supported: true };
  const complaint = stderr.trim().split("\n").slice(0, 2).join(" | ");
  const missing = /Operation not permitted/.test(stderr)
    ? "changing nftables rules is not permitted here: it needs root, or a network namespace of one's own"
    : `nft or the kernel does not take the rules (nft 1.0.6 and kernel 5.13 do): ${complaint}`;
  return { supported: false, missing };
}
