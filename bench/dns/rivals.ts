/** Other people's servers with the same names, each with its files in the folder. */
import { join } from "node:path";
import { KNOWN, zoneFiles } from "./cluster.ts";
import { freePort } from "../free-port.ts";
import { fileIn, writeCorefile, type CorefileOptions } from "./corefile.ts";
import { startProgram, type Contender } from "../contender.ts";
import { answers } from "./question.ts";
import { programs } from "../programs.ts";

export const OUTSIDE = "outside.test";

/** CoreDNS with the Corefile that clusters get; with its cache or without. */
export function startCoreDns(folder: string, options: CorefileOptions): Promise<Contender | undefined> {
  const port = freePort();
  return startProgram({
    name: `CoreDNS${options.isCaching ? "" : ", no cache"}`,
    program: programs.coredns,
    args: ["-conf", writeCorefile(folder, port, options)],
    port,
    env: { GOMAXPROCS: `${options.workers ?? 1}` },
    isServing: answers(port, KNOWN),
  });
}

function startNsdWith(
  folder: string,
  name: string,
  zones: ReadonlyMap<string, string>,
  until: string,
  workers: number,
): Promise<Contender | undefined> {
  const port = freePort();
  const own = join(folder, `nsd-${port}`);
  for (const [zone, text] of zones) fileIn(own, zone, text);
  const settings = [
    "server:",
    `server-count: ${workers}`,
    `ip-address: 127.0.0.1@${port}`,
    workers > 1 ? "reuseport: yes" : "",
    'username: ""',
    'chroot: ""',
    `zonesdir: "${own}"`,
    'pidfile: ""',
    'database: ""',
    `xfrdfile: "${own}/xfrd"`,
    `zonelistfile: "${own}/zones"`,
    // Else it answers 200 questions a second from one address.
    "rrl-ratelimit: 0",
    "rrl-whitelist-ratelimit: 0",
    // As many as keep an answer of 100 addresses whole.
    "ipv4-edns-size: 4096",
    "minimal-responses: yes",
    "remote-control:",
    "control-enable: no",
    ...[...zones.keys()].flatMap((zone) => ["zone:", `name: ${zone}`, `zonefile: ${zone}`]),
  ];
  const path = fileIn(own, "nsd.conf", `${settings.join("\n")}\n`);
  return startProgram({ name, program: programs.nsd, args: ["-d", "-c", path], port, isServing: answers(port, until) });
}

/** nsd with the cluster's records as zones. */
export const startNsd = (folder: string, size: number, workers = 1): Promise<Contender | undefined> =>
  startNsdWith(folder, "nsd", zoneFiles(size), KNOWN, workers);

/** nsd as the resolver that queries are forwarded to: every name in one zone has an address. */
export const startUpstream = (folder: string): Promise<Contender | undefined> =>
  startNsdWith(
    folder,
    "the upstream resolver (nsd)",
    new Map([
      [
        OUTSIDE,
        `$ORIGIN ${OUTSIDE}.\n$TTL 300\n@ IN SOA ns hostmaster 1 7200 1800 86400 30\n@ IN NS ns\nns IN A 127.0.0.1\n* IN A 192.0.2.7\n`,
      ],
    ]),
    `ready.${OUTSIDE}`,
    1,
  );

/** unbound that forwards everything, and keeps what it hears. */
export function startUnbound(folder: string, upstream: number, workers = 1): Promise<Contender | undefined> {
  const port = freePort();
  const own = join(folder, `unbound-${port}`);
  const settings = [
    "server:",
    `num-threads: ${workers}`,
    `interface: 127.0.0.1@${port}`,
    "do-daemonize: no",
    'username: ""',
    'chroot: ""',
    `directory: "${own}"`,
    'pidfile: ""',
    "use-syslog: no",
    "verbosity: 0",
    'module-config: "iterator"',
    "do-not-query-localhost: no",
    'local-zone: "test." nodefault',
    "remote-control:",
    "control-enable: no",
    "forward-zone:",
    'name: "."',
    `forward-addr: 127.0.0.1@${upstream}`,
  ];
  const path = fileIn(own, "unbound.conf", `${settings.join("\n")}\n`);
  return startProgram({
    name: "unbound",
    program: programs.unbound,
    args: ["-d", "-c", path],
    port,
    isServing: answers(port, `ready.${OUTSIDE}`),
  });
}
