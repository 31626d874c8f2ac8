/** Other people's programs, where `bin/setup` unpacked them or the machine has them installed; CoreDNS where COREDNS says or `bin/clients` built it. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const CACHE = join(import.meta.dirname, "../node_modules/.cache");

const first = (...paths: readonly string[]): string | undefined => paths.find((path) => existsSync(path));
const installed = (name: string): string[] =>
  (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, name));

/** Undefined: it is not there. */
export const programs = {
  coredns: process.env["COREDNS"] ?? first(join(CACHE, "go/coredns"), ...installed("coredns")),
  dnsperf: first(...installed("dnsperf"), join(CACHE, "dnsperf/usr/bin/dnsperf")),
  nsd: first(...installed("nsd"), join(CACHE, "nsd/usr/sbin/nsd")),
  /** A script that finds its libraries. */
  haproxy: first(join(CACHE, "haproxy/run")),
  nginx: first(...installed("nginx"), join(CACHE, "nginx/usr/sbin/nginx")),
  wrk: first(...installed("wrk")),
  h2load: first(...installed("h2load")),
  unbound: first(...installed("unbound"), join(CACHE, "unbound/usr/sbin/unbound")),
};

/** With what an unpacked program needs beside it. */
export const environment: NodeJS.ProcessEnv = {
  ...process.env,
  LD_LIBRARY_PATH: ["x86_64", "aarch64"].map((cpu) => join(CACHE, `dnsperf/usr/lib/${cpu}-linux-gnu`)).join(delimiter),
};
