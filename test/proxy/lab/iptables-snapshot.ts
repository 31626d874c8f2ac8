import type { Host } from "../../../src/host/host.ts";

/** Our chains and the jumps to them, but for what counts transactions: as iptables-save prints them, in the order of their names. */
export async function iptablesSnapshot(host: Host): Promise<string> {
  const saved = await Promise.all(
    ["iptables-save", "ip6tables-save"].map(async (tool) => (await host.check(tool, [])).stdout),
  );
  return saved
    .map((text) => {
      let table = "";
      const lines: string[] = [];
      for (const line of text.split("\n")) {
        if (line.startsWith("*")) table = line;
        else if (/^-A .*FL-/.test(line) && !line.includes("generation")) lines.push(`${table} ${line}`);
      }
      // Rules of one chain keep their order: the sort is by table and chain alone, and stable.
      const chain = (line: string): string => line.split(" ").slice(0, 3).join(" ");
      return lines.toSorted((one, other) => (chain(one) < chain(other) ? -1 : chain(one) > chain(other) ? 1 : 0));
    })
    .flat()
    .join("\n");
}
