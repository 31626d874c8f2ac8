import { readFile } from "node:fs/promises";
import type { Resolver } from "../../api/pod/resolver.ts";
import { parseResolvConf } from "./resolv-conf.ts";

export const RESOLV_CONF = "/etc/resolv.conf";
/** systemd-resolved's stub on the loopback, and the file with the resolvers behind it (systemd-resolved.service(8)). */
const STUB = "127.0.0.53";
const BEHIND_STUB = "/run/systemd/resolve/resolv.conf";

/** The host's resolver; undefined where the path is empty. A stub on the loopback answers nobody in a pod, so the file behind it is read. */
export async function hostResolver(path: string): Promise<Resolver | undefined> {
  if (path === "") return undefined;
  const read = async (file: string): Promise<Resolver> => parseResolvConf(await readFile(file, "utf8").catch(() => ""));
  const resolver = await read(path);
  return resolver.nameservers.includes(STUB) ? read(BEHIND_STUB) : resolver;
}
