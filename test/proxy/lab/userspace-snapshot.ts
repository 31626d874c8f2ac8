import type { Host } from "../../../src/host/host.ts";
import { readRoutes } from "../../../src/proxy/engines/userspace/routes.ts";

/** The addresses that are made local, and where sockets wait for callers. */
export async function userspaceSnapshot(host: Host): Promise<string> {
  const routes = await readRoutes(host);
  const { stdout } = await host.check("ss", ["-H", "-l", "-n", "-t", "-u"]);
  const sockets = stdout.split("\n").map((line) => {
    const [protocol = "", , , , local = ""] = line.split(/\s+/);
    return `${protocol} ${local}`;
  });
  return [...[...routes].toSorted(), ...new Set(sockets.toSorted())].join("\n");
}
