/** What every server has before it and behind it: so many hosts of one path each, all of them of one Service with two endpoints. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Ports of 127.0.0.1 where the endpoints answer. */
export const ENDPOINTS = [19_001, 19_002] as const;
/** Each answers so many bytes. */
export const BODY = 1024;
export const hostOf = (route: number): string => `h${route}.example`;
export const hosts = (routes: number): string[] => Array.from({ length: routes }, (_, at) => hostOf(at));
/** The host that is asked for: in the middle of all. */
export const askedHost = (routes: number): string => hostOf(routes >> 1);

export interface Files {
  readonly folder: string;
  readonly certificate: string;
  readonly key: string;
  /** Both in one file, as HAProxy wants them. */
  readonly both: string;
}

/** A certificate for whoever terminates TLS. */
export function makeCertificate(folder: string): Files {
  const [certificate, key] = [join(folder, "tls.crt"), join(folder, "tls.key")];
  const make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=*.example";
  execFileSync("openssl", [...make.split(" "), "-keyout", key, "-out", certificate], { stdio: "ignore" });
  const both = join(folder, "both.pem");
  execFileSync("sh", ["-c", 'cat "$1" "$2" > "$3"', "sh", certificate, key, both]);
  return { folder, certificate, key, both };
}
