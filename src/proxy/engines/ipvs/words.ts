import { isOurMark, setOf, wayOfKey, markOfKey, type SetName } from "./names.ts";
import type { IPFamily } from "../../../net/ip.ts";

/** A virtual server as the kernel has it. */
export interface HeldServer {
  readonly choice: string;
  readonly targets: Map<string, number>;
}

const SERVER = /^-A (-f \d+(?: -6)?|-\S+ \S+) (.+)$/;
const TARGET = /^-a (-f \d+(?: -6)?|-\S+ \S+) -r (\S+) -m (?:.*)-w (\d+)/;

/** What `ipvsadm -Sn` prints, by the name of the virtual server. */
export function parseServers(text: string): Map<string, HeldServer> {
  const servers = new Map<string, HeldServer>();
  for (const line of text.split("\n")) {
    const [, key, choice] = SERVER.exec(line) ?? [];
    if (key !== undefined) servers.set(key, { choice: choice!.trim(), targets: new Map() });
    const [, of, target, weight] = TARGET.exec(line) ?? [];
    if (of !== undefined) servers.get(of)?.targets.set(target!, Number(weight));
  }
  return servers;
}

const FLAG: Readonly<Record<string, string>> = { TCP: "-t", UDP: "-u", SCTP: "--sctp-service" };

/** What `ipvsadm -Ln` prints: connections of each real server, active and inactive together, by virtual server and target. */
export function parseConnections(text: string): Map<string, number> {
  const connections = new Map<string, number>();
  let server = "";
  for (const line of text.split("\n")) {
    const fields = line.trim().split(/\s+/);
    const [first = "", second = ""] = fields;
    if (first === "FWM") server = `-f ${second}${fields[2] === "IPv6" ? " -6" : ""}`;
    else if (FLAG[first] !== undefined) server = `${FLAG[first]} ${second}`;
    else if (first === "->" && server !== "") {
      connections.set(`${server} ${second}`, Number(fields.at(-2)) + Number(fields.at(-1)));
    }
  }
  return connections;
}

export interface HeldElement {
  readonly family: IPFamily;
  readonly set: SetName;
  readonly key: string;
  readonly mark: number | undefined;
}

/** What `ipset save` prints, of our own sets. */
export function parseSets(text: string): { readonly names: Set<string>; readonly elements: HeldElement[] } {
  const names = new Set<string>();
  const elements: HeldElement[] = [];
  for (const line of text.split("\n")) {
    const [verb, name = "", key = "", ...rest] = line.split(" ");
    const found = setOf(name);
    if (found === undefined) continue;
    if (verb === "create") names.add(name);
    if (verb !== "add") continue;
    const mark = rest[0] === "skbmark" ? Number(rest[1]!.split("/")[0]) : undefined;
    elements.push({ ...found, key, mark });
  }
  return { names, elements };
}

/** Whether a virtual server is one that we made: by its way in, or by its mark. */
export function isOurs(key: string, isWay: (family: IPFamily, way: string) => boolean): boolean {
  const mark = markOfKey(key);
  if (mark !== undefined) return isOurMark(mark);
  const way = wayOfKey(key);
  return way !== undefined && isWay(way.family, way.way);
}
