import { invalid } from "../../api/fault.ts";
import type { Service, ServicePort } from "../../api/generated/types.ts";
import { mayHaveNodePorts, needsHealthCheckNodePort, needsNodePorts } from "../../api/service/needs.ts";
import { ApiError, invalidObject } from "../../api/status.ts";
import { internalError } from "../errors.ts";
import { portBands } from "./bands.ts";
import { findFree } from "./find-free.ts";
import type { ClaimsObserver } from "./observer.ts";
import type { ClaimReader } from "./reader.ts";

/** `--service-node-port-range`, both ends included. */
export interface NodePortRange {
  readonly first: number;
  readonly last: number;
}

export interface PortPool {
  readonly reader: Pick<ClaimReader, "nodePort" | "takenNodePorts">;
  readonly range: NodePortRange;
  readonly random: () => number;
  readonly dryRun: boolean;
  readonly hint: Set<bigint>;
  readonly observer: ClaimsObserver;
}

const TAKEN = "provided port is already allocated";
/** A dry run counts up from here, or from the highest port that the request names (SVC-114). */
const DRY_RUN_BEFORE = 32_768;

/** The ports one request takes, one after another. `own` are those it held before, its health check's among them. */
class Taking {
  readonly #pool: PortPool;
  readonly #own: ReadonlySet<number>;
  readonly #wanted: ReadonlySet<number>;
  readonly #taken = new Set<number>();

  constructor(pool: PortPool, own: ReadonlySet<number>, wanted: ReadonlySet<number>) {
    this.#pool = pool;
    this.#own = own;
    this.#wanted = wanted;
  }

  has(port: number): boolean {
    return this.#taken.has(port);
  }

  /** Why a port cannot be had; undefined when it is taken now. */
  async explicit(port: number): Promise<string | undefined> {
    const { range, dryRun, reader, observer } = this.#pool;
    if (!dryRun && (port < range.first || port > range.last)) {
      observer.portRefused("static");
      return `provided port is not in the valid range. The range of valid ports is ${range.first}-${range.last}`;
    }
    if (this.#taken.has(port) || this.#own.has(port) || (await reader.nodePort(port)) !== undefined) {
      if (!dryRun) observer.portRefused("static");
      return TAKEN;
    }
    if (!dryRun) observer.portTaken("static");
    this.#taken.add(port);
    return undefined;
  }

  /** Any free port; undefined when there is none. */
  async any(): Promise<number | undefined> {
    const { range, dryRun, reader, random, hint, observer } = this.#pool;
    if (dryRun) {
      const port = (this.#taken.size === 0 ? DRY_RUN_BEFORE : Math.max(0, ...this.#taken)) + 1;
      this.#taken.add(port);
      return port;
    }
    const found = await findFree({
      bands: portBands(range),
      random,
      hint,
      excluded: new Set([...this.#own, ...this.#wanted, ...this.#taken].map(BigInt)),
      isTaken: async (number) => (await reader.nodePort(Number(number))) !== undefined,
      readTaken: () => reader.takenNodePorts(),
    });
    if (found === undefined) {
      observer.portRefused("dynamic");
      return undefined;
    }
    observer.portTaken("dynamic");
    hint.add(found);
    this.#taken.add(Number(found));
    return Number(found);
  }
}

const refuse = (service: Service, index: number, port: number, why: string): ApiError =>
  invalidObject("", "Service", service.metadata.name ?? "", [invalid(`spec.ports[${index}].nodePort`, port, why)]);

async function anyPort(taking: Taking): Promise<number> {
  const port = await taking.any();
  if (port === undefined) throw internalError("failed to allocate a nodePort: range is full");
  return port;
}

/** Create: ports of one number, for several protocols, share one node port (SVC-152 … SVC-154). */
async function portsOnCreate(service: Service, taking: Taking): Promise<ServicePort[]> {
  const shared = new Map<number, number>();
  const ports: ServicePort[] = [];
  const all = service.spec?.ports ?? [];
  for (const [index, port] of all.entries()) {
    const given = port.nodePort ?? 0;
    const known = shared.get(port.port);
    if (given === 0 && !needsNodePorts(service)) {
      ports.push(port);
      continue;
    }
    if (known !== undefined && (given === 0 || given === known)) {
      ports.push({ ...port, nodePort: known });
      continue;
    }
    const asked =
      known === undefined ? (all.find((other) => other.port === port.port && other.nodePort)?.nodePort ?? 0) : given;
    let nodePort = asked;
    if (asked === 0) nodePort = await anyPort(taking);
    else {
      const why = await taking.explicit(asked);
      if (why !== undefined) throw refuse(service, index, asked, why);
    }
    if (known === undefined) shared.set(port.port, nodePort);
    ports.push({ ...port, nodePort });
  }
  return ports;
}

/** Update: what the Service has it keeps; a port without node port gets one of its own (SVC-155, SVC-156). */
async function portsOnUpdate(service: Service, previous: Service, taking: Taking): Promise<ServicePort[]> {
  const before = new Set(previous.spec?.ports?.map(({ nodePort }) => nodePort));
  const seen = new Set<string>();
  const ports: ServicePort[] = [];
  for (const [index, port] of (service.spec?.ports ?? []).entries()) {
    let nodePort = port.nodePort ?? 0;
    if (nodePort === 0 && !needsNodePorts(service)) {
      ports.push(port);
      continue;
    }
    if (nodePort === 0) nodePort = await anyPort(taking);
    else if (!before.has(nodePort) && !taking.has(nodePort)) {
      const why = await taking.explicit(nodePort);
      if (why !== undefined) throw refuse(service, index, nodePort, why);
    }
    // Here alone upstream fails before validation could tell it well, and without a reason.
    const key = `{${port.protocol} ${nodePort}}`;
    if (seen.has(key)) throw new ApiError("Unknown", `duplicate nodePort: ${key}`);
    seen.add(key);
    ports.push({ ...port, nodePort });
  }
  return ports;
}

/** SVC-148, SVC-159, SVC-160. */
async function healthCheckNodePort(service: Service, taking: Taking): Promise<number> {
  const given = service.spec?.healthCheckNodePort ?? 0;
  if (given === 0) {
    const port = await taking.any();
    if (port === undefined) throw internalError("failed to allocate a HealthCheck NodePort 0: range is full");
    return port;
  }
  const why = await taking.explicit(given);
  if (why !== undefined) throw internalError(`failed to allocate requested HealthCheck NodePort ${given}: ${why}`);
  return given;
}

/** Every port of the nodes that a Service holds, its health check's among them. */
export function heldNodePorts(service: Service): Set<number> {
  const held = new Set<number>();
  if (mayHaveNodePorts(service)) for (const { nodePort } of service.spec?.ports ?? []) if (nodePort) held.add(nodePort);
  if (needsHealthCheckNodePort(service) && service.spec?.healthCheckNodePort)
    held.add(service.spec.healthCheckNodePort);
  return held;
}

/**
 * The Service with the node ports it needs. `next` must be backfilled already.
 *
 * @throws ApiError Invalid for a port that cannot be had, InternalError when the range is full
 */
export async function planNodePorts(pool: PortPool, next: Service, previous: Service | undefined): Promise<Service> {
  if (!mayHaveNodePorts(next)) return next;
  const own = previous === undefined ? new Set<number>() : heldNodePorts(previous);
  const taking = new Taking(pool, own, heldNodePorts(next));
  const spec = { ...next.spec };
  const ports =
    previous === undefined ? await portsOnCreate(next, taking) : await portsOnUpdate(next, previous, taking);
  if (spec.ports !== undefined) spec.ports = ports;
  const had = previous !== undefined && needsHealthCheckNodePort(previous);
  if (needsHealthCheckNodePort(next) && !had) spec.healthCheckNodePort = await healthCheckNodePort(next, taking);
  return { ...next, spec };
}
