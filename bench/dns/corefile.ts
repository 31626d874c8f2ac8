import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ZONE } from "./cluster.ts";
import { freePort } from "../free-port.ts";

export interface CorefileOptions {
  readonly kubeconfig: string;
  /** The port of the outside resolver. */
  readonly upstream: number;
  readonly isCaching: boolean;
  readonly workers?: number;
}

export function fileIn(folder: string, name: string, text: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** The Corefile that clusters get, but for addresses (DNS-129); with its cache or without. Answers its path. */
export function writeCorefile(folder: string, port: number, options: CorefileOptions): string {
  const { kubeconfig, upstream, isCaching } = options;
  const text = `.:${port} {
    bind 127.0.0.1
    errors
    health 127.0.0.1:${freePort()} {
      lameduck 0s
    }
    ready 127.0.0.1:${freePort()}
    kubernetes ${ZONE} in-addr.arpa ip6.arpa {
      kubeconfig ${kubeconfig}
      pods insecure
      fallthrough in-addr.arpa ip6.arpa
      ttl 30
    }
    prometheus 127.0.0.1:${freePort()}
    forward . 127.0.0.1:${upstream} {
      max_concurrent 1000
    }
    ${isCaching ? "cache 30" : ""}
    loop
    reload
    loadbalance
}
`;
  return fileIn(join(folder, `corefile-${port}`), "Corefile", text);
}
