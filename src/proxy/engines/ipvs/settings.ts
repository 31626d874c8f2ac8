import type { Host } from "../../../host/host.ts";
import type { IpvsOptions } from "./options.ts";

/** The kernel's settings (PRX-183), by its release: `6.1.0-18-amd64`. The last of each name, where it is there. */
export function settingsFor(release: string, { strictARP }: IpvsOptions): [name: string, value: string][] {
  const [major = 0, minor = 0] = release.split(".").map((part) => Number.parseInt(part, 10));
  const number = major * 1000 + minor;
  // Between these a client that used a port again was held up for a second, or sent to an endpoint that is gone.
  const reusesBadly = number >= 4001 && number < 5009;
  return [
    ["net.ipv4.vs.conntrack", "1"],
    ["net.ipv4.vs.expire_nodest_conn", "1"],
    ["net.ipv4.vs.expire_quiescent_template", "1"],
    ["net.ipv4.ip_forward", "1"],
    ...(reusesBadly ? [["net.ipv4.vs.conn_reuse_mode", "0"] as [string, string]] : []),
    ...(strictARP
      ? [
          ["net.ipv4.conf.all.arp_ignore", "1"] as [string, string],
          ["net.ipv4.conf.all.arp_announce", "2"] as [string, string],
        ]
      : []),
  ];
}

/** `ipvsadm --set` takes all three; 0 leaves one as it is. */
export const timeoutsFor = ({ tcpTimeout, tcpFinTimeout, udpTimeout }: IpvsOptions): string[] | undefined =>
  tcpTimeout + tcpFinTimeout + udpTimeout === 0
    ? undefined
    : ["--set", String(tcpTimeout), String(tcpFinTimeout), String(udpTimeout)];

/** Sets the kernel as this engine needs it. What is set already is not written: it may be read-only. */
export async function applySettings(host: Host, options: IpvsOptions, signal: AbortSignal): Promise<void> {
  const release = (await host.check("uname", ["-r"], { signal })).stdout.trim();
  const wanted = settingsFor(release, options);
  const names = wanted.map(([name]) => name);
  const { stdout } = await host.run("sysctl", ["-e", ...names], { signal });
  const held = new Set(stdout.split("\n").map((line) => line.replaceAll(" ", "")));
  const due = wanted.map(([name, value]) => `${name}=${value}`).filter((setting) => !held.has(setting));
  if (due.length > 0) await host.check("sysctl", ["-q", "-w", ...due], { signal });
  const timeouts = timeoutsFor(options);
  if (timeouts !== undefined) await host.check("ipvsadm", timeouts, { signal });
}
