import { readdirSync, readlinkSync, readFileSync } from "node:fs";
import type { LabHost } from "./lab.ts";

/** Everything of a host that a program may leave behind: compare before and after. */
export interface Traces {
  readonly links: readonly string[];
  readonly addresses: readonly string[];
  readonly routes: readonly string[];
  readonly rules: readonly string[];
  readonly namespaces: string;
  readonly tables: string;
  readonly mounts: readonly string[];
  readonly sysctls: readonly string[];
  readonly processes: readonly string[];
}

const sorted = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .sort();

/** Commands of processes that are in one of these network namespaces, or below one of its anchors. */
function processesIn(namespace: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        if (readlinkSync(`/proc/${pid}/ns/net`) !== namespace) return [];
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim()];
      } catch {
        return [];
      }
    })
    .sort();
}

export async function traces(host: LabHost): Promise<Traces> {
  const text = async (command: string, ...args: string[]): Promise<string> => (await host.check(command, args)).stdout;
  const namespace = (await text("readlink", "/proc/self/ns/net")).trim();
  const [links, addresses, routes4, routes6, rules4, rules6, namespaces, tables, mounts, sysctls] = await Promise.all([
    text("ip", "-o", "link"),
    text("ip", "-o", "addr"),
    text("ip", "route", "show", "table", "all"),
    text("ip", "-6", "route", "show", "table", "all"),
    text("ip", "rule"),
    text("ip", "-6", "rule"),
    text("ip", "netns", "list"),
    text("nft", "list", "tables"),
    text("cat", "/proc/self/mounts"),
    text("sh", "-c", "cd /proc/sys/net && grep -r . ipv4/ip_forward ipv4/conf ipv6/conf netfilter 2>/dev/null; true"),
  ]);
  return {
    links: sorted(links.replaceAll(/^\d+: /gm, "")),
    addresses: sorted(addresses.replaceAll(/^\d+: /gm, "").replaceAll(/valid_lft.*$/gm, "")),
    routes: sorted(`${routes4}\n${routes6}`),
    rules: sorted(`${rules4}\n${rules6}`),
    namespaces,
    tables,
    mounts: sorted(mounts),
    // A counter, and what each read of it changes.
    sysctls: sorted(sysctls).filter((line) => !/nf_conntrack_count|stable_secret|expect_max|nf_log/.test(line)),
    processes: processesIn(namespace).filter((line) => !/^(readlink|cat|ip|nft|sh|grep) /.test(line)),
  };
}
