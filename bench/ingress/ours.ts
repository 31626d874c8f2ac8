/** An engine of Fairlead with a plan of so many hosts, a process of its own. */
import { join } from "node:path";
import type { IngressEngineName } from "../../src/ingress/engine.ts";
import { startProgram } from "../contender.ts";
import { freePort } from "../free-port.ts";
import { programs } from "../programs.ts";
import { serves, type Proxy } from "./rivals.ts";
import { askedHost, type Files } from "./site.ts";

export async function startDoor(files: Files, routes: number, engine: IngressEngineName): Promise<Proxy | undefined> {
  if (engine === "haproxy" && programs.haproxy === undefined) {
    console.log("Fairlead, haproxy: not measured (there is no haproxy)");
    return undefined;
  }
  const [port, tlsPort] = [freePort(), freePort()];
  const contender = await startProgram({
    name: `Fairlead, ${engine}`,
    program: process.execPath,
    args: [
      "--disable-warning=ExperimentalWarning",
      join(import.meta.dirname, "door.ts"),
      ...[engine, port, tlsPort, routes, files.folder].map(String),
    ],
    env: { FAIRLEAD_HAPROXY: programs.haproxy },
    port,
    isServing: serves(port, askedHost(routes)),
  });
  return contender === undefined ? undefined : { ...contender, tlsPort };
}
