import type { Host } from "../../../host/host.ts";
import type { IPFamily } from "../../../net/ip.ts";
import type { Support } from "../../engine.ts";
import { compileNode } from "./frame.ts";
import { shapeLines, type Shape } from "./shape.ts";

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
    nodePortAddresses: { IPv4: "all", IPv6: "all" },
    localhostNodePorts: false,
    serviceRanges: [],
    localDetector: { by: "ranges", ranges: [] },
    nodeAddresses: [],
    masqueradeAll: false,
    masqueradeBit: 14,
    forwardOnly: undefined,
  });
  const shapes = families.flatMap((family) => SHAPES.flatMap((shape) => shapeLines(shape, family)));
  const input = `${[...frame.lines, ...shapes].join("\n")}\n`;
  const { code, stderr } = await host.run("nft", ["-c", "-f", "-"], { input });
  if (code === 0) return { supported: true };
  if (/Operation not permitted/.test(stderr)) {
    const missing = "changing nftables rules is not permitted here: it needs root, or a network namespace of one's own";
    return { supported: false, missing };
  }
  const complaint = stderr.trim().split("\n").slice(0, 2).join(" | ");
  const [version, kernel] = [
    await said(host, "nft", ["--version"], /v?([\d.]+)/),
    await said(host, "uname", ["-r"], /(.*)/),
  ];
  return {
    supported: false,
    missing: `nft ${version} or the kernel ${kernel} does not take the rules (nft 1.0.6 and kernel 5.13 do): ${complaint}`,
  };
}

/** One of each kind: what they need of nft and the kernel differs. */
const SHAPES: readonly Shape[] = [
  { slots: 2, choice: "random", list: undefined, affinity: undefined, local: false, keepsPort: false },
  { slots: 2, choice: "random", list: undefined, affinity: 1, local: true, keepsPort: false },
  { slots: 2, choice: "turn", list: 0, affinity: undefined, local: false, keepsPort: true },
  { slots: 2, choice: "client", list: undefined, affinity: undefined, local: false, keepsPort: false },
];

async function said(host: Host, command: string, args: readonly string[], what: RegExp): Promise<string> {
  const { stdout } = await host.run(command, args).catch(() => ({ stdout: "" }));
  return what.exec(stdout)?.[1]?.trim() || "(unknown)";
}
