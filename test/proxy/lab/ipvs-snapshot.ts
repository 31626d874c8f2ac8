import type { Host } from "../../../src/host/host.ts";

const dump = async (host: Host): Promise<string> => {
  const tools = [
    "ipvsadm -S -n",
    "ipset save",
    "ip -o addr show dev fairlead-ipvs",
    "iptables-legacy-save",
    "ip6tables-legacy-save",
  ];
  return (await host.check("sh", ["-c", tools.join("; ")], { timeout: 120_000 })).stdout;
};

/** Counters, times, numbers of links and sizes of tables say nothing about what is carried. */
const plain = (line: string): string =>
  line
    .replace(/\[\d+:\d+\]/, "")
    .replace(/^\d+: /, "")
    .replace(/ hashsize \d+| bucketsize \d+| initval \S+| preferred_lft \S+| valid_lft \S+/g, "");

/** All that the engine has in the kernel, to the letter. */
export const ipvsExact = async (host: Host): Promise<string> =>
  (await dump(host))
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .map(plain)
    .toSorted()
    .join("\n");

/** The same without what tells of the past: real servers on their way out, and which number a mark has. */
export const ipvsSnapshot = async (host: Host): Promise<string> => {
  const lines = (await ipvsExact(host)).split("\n").filter((line) => !/ -w 0$/.test(line));
  const names = new Map<string, string>();
  for (const line of lines) {
    const [, way, mark] = /^add (\S+ \S+) skbmark 0x(\w+)/.exec(line) ?? [];
    if (mark === undefined) continue;
    const number = String(Number.parseInt(mark, 16));
    names.set(number, [...(names.get(number)?.split("+") ?? []), way!].toSorted().join("+"));
  }
  const named = (number: string): string => `{${names.get(number) ?? "nobody"}}`;
  return lines
    .map((line) =>
      line
        .replace(/-f (\d+)/, (_, number: string) => `-f ${named(number)}`)
        .replace(/skbmark 0x(\w+)/, (_, mark: string) => `skbmark ${named(String(Number.parseInt(mark, 16)))}`),
    )
    .toSorted()
    .join("\n");
};
