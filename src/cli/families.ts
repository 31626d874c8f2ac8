import { readSysctl } from "../host/sysctl.ts";
import type { IPFamily } from "../net/ip.ts";

/** Families the kernel has here, IPv4 first. */
export async function kernelFamilies(): Promise<IPFamily[]> {
  const disabled = await readSysctl("net/ipv6/conf/all/disable_ipv6");
  return disabled === undefined || disabled === "1" ? ["IPv4"] : ["IPv4", "IPv6"];
}
