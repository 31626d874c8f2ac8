import { readdir, readFile, readlink } from "node:fs/promises";
import { endianness } from "node:os";
import { basename } from "node:path";
import { familyOf, toNumber } from "../net/ip.ts";
import { nameOf } from "./process-identity.ts";

/** A program that has a port. */
export interface PortHolder {
  readonly pid: number;
  /** Of its file, such as `dnsmasq`. */
  readonly name: string;
}

/** State of a listening socket in /proc/net/tcp, in hexadecimal (Linux `include/net/tcp_states.h`). */
const LISTEN = "0A";

/** An address as /proc/net shows it: each word of 32 bits as this machine holds it, in hexadecimal. */
function asShown(ip: string): string {
  const width = familyOf(ip) === "IPv4" ? 8 : 32;
  const words = toNumber(ip).toString(16).padStart(width, "0").match(/.{8}/g)!;
  const shown = endianness() === "BE" ? words : words.map((word) => word.match(/../g)!.toReversed().join(""));
  return shown.join("").toUpperCase();
}

/** True for the shown form of every address of a family. */
const isEvery = (shown: string): boolean => /^0+$/.test(shown);
const MAPPED = asShown("::ffff:0.0.0.0").slice(0, 24);

/**
 * Inodes of the sockets in a text of /proc/net/tcp, tcp6, udp or udp6 that keep others off a port of this address, those of just this address
 * before those of every address. Every address is kept by any of its family. Pure.
 */
export function socketsOn(text: string, protocol: "TCP" | "UDP", ip: string, port: number): string[] {
  const number = port.toString(16).padStart(4, "0").toUpperCase();
  // A socket for both families has IPv4 addresses in this form.
  const own = [asShown(ip), ...(familyOf(ip) === "IPv4" ? [asShown(`::ffff:${ip}`)] : [])];
  const asksEvery = isEvery(own[0]!);
  const isOfFamily = (shown: string): boolean =>
    familyOf(ip) === "IPv4" ? shown.length === 8 || shown.startsWith(MAPPED) : !shown.startsWith(MAPPED);
  const exact: string[] = [];
  const other: string[] = [];
  for (const line of text.split("\n").slice(1)) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (local === undefined || inode === undefined || inode === "0") continue;
    const [address = "", its] = local.split(":");
    if (its !== number || (protocol === "TCP" && state !== LISTEN)) continue;
    if (own.includes(address)) exact.push(inode);
    else if (isEvery(address) || (asksEvery && isOfFamily(address))) other.push(inode);
  }
  return [...exact, ...other];
}

/** The process that has one of these sockets open, the first of them that anybody is seen to have. */
async function processWith(inodes: readonly string[]): Promise<number | undefined> {
  const found = new Map<string, number>();
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    // Of a process that has gone, or is somebody else's, nothing is seen.
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.includes(inode) && !found.has(inode)) found.set(inode, Number(pid));
    }
  }
  return inodes.map((inode) => found.get(inode)).find((pid) => pid !== undefined);
}

/** Who has a port of this address, in our own network namespace; undefined where nobody has, or it cannot be seen who. */
export async function holderOfPort(protocol: "TCP" | "UDP", ip: string, port: number): Promise<PortHolder | undefined> {
  const name = protocol.toLowerCase();
  const files = familyOf(ip) === "IPv4" ? [name, `${name}6`] : [`${name}6`];
  const texts = await Promise.all(files.map((file) => readFile(`/proc/net/${file}`, "utf8").catch(() => "")));
  const inodes = texts.flatMap((text) => socketsOn(text, protocol, ip, port));
  const pid = inodes.length === 0 ? undefined : await processWith(inodes);
  if (pid === undefined) return undefined;
  // Threads may rename what the kernel calls a process.
  const path = await readlink(`/proc/${pid}/exe`).catch(() => undefined);
  const program = path === undefined ? await nameOf(pid) : basename(path.replace(/ \(deleted\)$/, ""));
  return program === undefined ? undefined : { pid, name: program };
}

/** The same in words: `taken by dnsmasq (pid 812)`. */
export async function takenBy(protocol: "TCP" | "UDP", ip: string, port: number): Promise<string> {
  const holder = await holderOfPort(protocol, ip, port);
  return holder === undefined
    ? "taken by a program that cannot be seen from here"
    : `taken by ${holder.name} (pid ${holder.pid})`;
}
