import { after, afterEach, before } from "node:test";
import type { Service } from "../../../src/api/generated/types.ts";
import type { Host, Running } from "../../../src/host/host.ts";
import { systemClock, type Clock } from "../../../src/observe/clock.ts";
import { ipvsEngine, type IpvsEngine } from "../../../src/proxy/engines/ipvs/engine.ts";
import { USUAL_OPTIONS, type IpvsOptions } from "../../../src/proxy/engines/ipvs/options.ts";
import { parseServers, type HeldServer } from "../../../src/proxy/engines/ipvs/words.ts";
import { everyWay } from "../table/ways.ts";
import { openNetwork, PORT, type Network, type Place } from "./network.ts";
import { service, slices } from "./objects.ts";

type Pods = Parameters<typeof slices>[1];

/** Takes away everything that an engine or a test has written, in one process: many would be slow in user-mode Linux. */
const CLEAR = `ipvsadm -C
ip link del fairlead-ipvs
for table in filter nat mangle; do printf '*%s\\nCOMMIT\\n' $table; done >/tmp/empty
iptables-legacy-restore /tmp/empty
ip6tables-legacy-restore /tmp/empty
ipset destroy`;

/** A network for tests of IPVS: each test's engines, listeners and virtual servers end with it. */
export class IpvsLab {
  network!: Network;
  node!: Host;
  readonly listeners: Running[] = [];
  readonly #engines: IpvsEngine[] = [];

  constructor() {
    before(async () => {
      this.network = await openNetwork({ nodeIsHere: true });
      this.node = this.network.at("node");
    });
    after(() => this.network?.close());
    afterEach(() => this.#clear());
  }

  async #clear(): Promise<void> {
    for (const one of this.listeners.splice(0)) {
      one.kill("SIGKILL");
      await one.ended;
    }
    for (const one of this.#engines.splice(0)) await one.close();
    await this.node.run("sh", ["-c", CLEAR]);
  }

  open(options: Partial<IpvsOptions> = {}, host = this.node, clock: Clock = systemClock): IpvsEngine {
    const engine = ipvsEngine(host, clock, ["IPv4", "IPv6"], { ...USUAL_OPTIONS, ...options });
    this.#engines.push(engine);
    return engine;
  }

  async servers(): Promise<Map<string, HeldServer>> {
    return parseServers((await this.node.check("ipvsadm", ["-S", "-n"])).stdout);
  }

  async weightsOf(key: string): Promise<Record<string, number>> {
    return Object.fromEntries((await this.servers()).get(key)?.targets ?? []);
  }

  call(from: Place, ip: string, times = 1, more: object = {}): Promise<string[]> {
    return this.network.call(from, { protocol: "TCP", ip, port: 80, times, wait: 10_000, together: 1, ...more });
  }

  /** The addresses of the pods that answered. */
  async pods(from: Place, ip: string, times = 1, more: object = {}): Promise<string[]> {
    return (await this.call(from, ip, times, more)).map((one) => one.split(" ")[0]!);
  }
}

/** The third port of the pods' servers, on which connections stay. */
export const STAYING = PORT + 2;

/** Endpoints of that port, for TCP. */
export const staying = (name: string, pods: Pods): ReturnType<typeof slices> =>
  slices(name, pods, ["tcp"]).map((slice) => ({
    ...slice,
    ports: slice.ports!.map((one) => ({ ...one, port: STAYING })),
  }));

/** A Service that is called in every way there is. */
export const every = (name: string, number: number, spec: Service["spec"] = {}): Service => {
  const way = everyWay(number);
  return { ...service(name, number, { ...way.spec, ...spec }), status: way.status };
};
