import { readdirSync, readlinkSync, readFileSync } from "node:fs";
import type { LabHost } from "./lab.ts";
import { until } from "./until.ts";

/** Everything of a host that a program may leave behind, as sorted lines. */
export interface Traces {
  readonly links: readonly string[];
  readonly addresses: readonly string[];
  readonly routes: readonly string[];
  readonly rules: readonly string[];
  readonly namespaces: readonly string[];
  readonly tables: readonly string[];
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

/**
 * Settings that say something else without anybody changing them: the count of connections being tracked and what
 * depends on it, a secret that may not be read, and the loggers, which the kernel registers when a module is first used.
 */
const CHANGES_BY_ITSELF = /^netfilter\/nf_conntrack_(count|buckets|max|expect_max)|stable_secret|^netfilter\/nf_log/;

const own = (pid: string, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
};

/**
 * Commands of the processes of a host: those in its network, and those, in whatever namespaces, that were started with
 * its scratch directory in their command or environment, or have a mount from there.
 */
function processesOf(host: LabHost, network: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .flatMap((pid) => {
      let its: string;
      try {
        its = readlinkSync(`/proc/${pid}/ns/net`);
      } catch {
        return [];
      }
      const command = own(pid, "cmdline");
      const isOfHost =
        its === network ||
        [command, own(pid, "environ"), own(pid, "mountinfo")].some((text) => text.includes(host.scratch));
      return isOfHost && command !== "" ? [command] : [];
    })
    .sort();
}

/** Reads everything at one moment. */
export async function traces(host: LabHost): Promise<Traces> {
  const text = async (command: string, ...args: string[]): Promise<string> => (await host.check(command, args)).stdout;
  const network = (await text("readlink", "/proc/self/ns/net")).trim();
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
    text("sh", "-c", "cd /proc/sys/net && grep -rs . ipv4 ipv6 netfilter core; true"),
  ]);
  return {
    links: sorted(links.replaceAll(/^\d+: /gm, "")),
    addresses: sorted(addresses.replaceAll(/^\d+: /gm, "").replaceAll(/valid_lft.*$/gm, "")),
    routes: sorted(`${routes4}\n${routes6}`),
    rules: sorted(`${rules4}\n${rules6}`),
    namespaces: sorted(namespaces),
    tables: sorted(tables),
    mounts: sorted(mounts),
    sysctls: sorted(sysctls).filter((line) => !CHANGES_BY_ITSELF.test(line)),
    processes: processesOf(host, network).filter((line) => !/^(readlink|cat|ip|nft|sh|grep|nsenter) /.test(line)),
  };
}

/** What is there now and was not before (`+`), and what is gone (`-`); empty when nothing is left of what ran between. */
export function differences(before: Traces, after: Traces): string[] {
  const less = (these: readonly string[], those: readonly string[]): string[] => {
    const rest = [...those];
    return these.filter((line) => {
      const at = rest.indexOf(line);
      if (at >= 0) rest.splice(at, 1);
      return at < 0;
    });
  };
  return (Object.keys(before) as (keyof Traces)[]).flatMap((what) => [
    ...less(after[what], before[what]).map((line) => `+ ${what}: ${line}`),
    ...less(before[what], after[what]).map((line) => `- ${what}: ${line}`),
  ]);
}

/** The same, once nothing is being started any more: what is ready has not started all that it will, and a process is seen as its parent for a moment. */
export async function settledTraces(host: LabHost): Promise<Traces> {
  let was = await traces(host);
  await until(
    "all of it to be started",
    async () => {
      const before = was;
      was = await traces(host);
      return differences(before, was).length === 0;
    },
    { every: 1000 },
  );
  return was;
}
