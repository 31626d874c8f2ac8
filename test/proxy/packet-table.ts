import { after, before } from "node:test";
import { openNetwork, type Network, type NetworkOptions } from "./lab/network.ts";
import { ADDRESSES } from "./table/addresses.ts";
import { affinityTests } from "./table/affinity.ts";
import { balanceTests } from "./table/balance.ts";
import { DETECTORS } from "./table/detectors.ts";
import { ENDPOINTS } from "./table/endpoints.ts";
import { LOAD_BALANCERS } from "./table/load-balancers.ts";
import { NODE_PORTS } from "./table/node-ports.ts";
import { flowTests } from "./table/flows.ts";
import { ICMP, pingTests } from "./table/icmp.ts";
import { HAIRPIN } from "./table/hairpin.ts";
import { Matrix } from "./table/matrix.ts";
import { REFUSALS } from "./table/refusals.ts";
import type { Subject } from "./table/subject.ts";
import { groupTests, openTable, type Table } from "./table/table.ts";
import { sequenceTests } from "./table/sequences.ts";
import { TRUTH } from "./table/truth.ts";

const GROUPS = [TRUTH, HAIRPIN, REFUSALS, ENDPOINTS, LOAD_BALANCERS, ICMP, ...DETECTORS, ...NODE_PORTS, ...ADDRESSES];

/**
 * The promise of every engine, with real packets: who is reached from where, and as whom. What an ability excuses is replaced by a test
 * of what happens instead. A slow machine takes it in three runs, and FAIRLEAD_PACKETS_SCALE multiplies its
 * waits and divides its counts.
 */
export function packetTable<P, F, A>(
  subject: Subject<P, F, A>,
  run: "all" | "rows" | "flows" | "sequences" = "all",
): void {
  const matrix = new Matrix(subject.name, run);
  const network = run === "sequences" ? undefined : { nodeIsHere: subject.nodeIsHere === true };
  const table = packetTests((rest) => openTable(subject, { ...rest, matrix }), network);
  after(() => matrix.write());

  if (run === "all" || run === "rows") rowTests(table);
  if (run === "all" || run === "flows") {
    pingTests(table);
    flowTests(table);
    affinityTests(table);
    balanceTests(table);
  }
  if (run === "all" || run === "sequences") sequenceTests(table);
}

/** The same by a proxy that is somebody else's and is told everything by an API server; `prepare` is called once there is a network. */
export function foreignTable(
  open: (rest: Pick<Table, "scale" | "network">) => OpenTable,
  prepare: (network: Network) => Promise<void>,
): void {
  const table = packetTests(open, {}, prepare);
  rowTests(table);
  pingTests(table);
  flowTests(table);
  affinityTests(table);
}

type OpenTable = Table & { close(): Promise<void> };

function rowTests(table: Table): void {
  for (const group of GROUPS) groupTests(table, group);
}

function packetTests(
  open: (rest: Pick<Table, "scale" | "network">) => OpenTable,
  options: NetworkOptions | undefined,
  prepare?: (network: Network) => Promise<void>,
): Table {
  let network: Network | undefined;
  const table = open({ scale: Number(process.env["FAIRLEAD_PACKETS_SCALE"] ?? 1), network: () => network! });
  before(async () => {
    if (options === undefined) return;
    network = await openNetwork(options);
    await prepare?.(network);
  });
  after(async () => {
    await table.close();
    await network?.close();
  });
  return table;
}
