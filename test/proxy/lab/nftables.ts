import { after, afterEach, before } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { Host } from "../../../src/host/host.ts";
import { nftablesEngine } from "../../../src/proxy/engines/nftables/engine.ts";
import type { NftState } from "../../../src/proxy/engines/nftables/state.ts";
import type { NodePlan } from "../../../src/proxy/plan/plan.ts";
import type { CallRequest } from "./caller.ts";
import { openNetwork, type Network, type Place } from "./network.ts";
import { nodePlan } from "./objects.ts";
import { Planned } from "./planned.ts";

/** A network for the tests of one file; what one test writes is taken away before the next. */
export interface NftablesLab {
  readonly network: Network;
  readonly node: Host;
  plan(node?: NodePlan, host?: Host): Planned;
  nft(...args: string[]): Promise<string>;
  /** Loads a text of nft's on the node. */
  load(input: string): Promise<unknown>;
  call(from: Place, ip: string, times?: number, more?: Partial<CallRequest>): Promise<string[]>;
}

export const podsOf = (answers: readonly string[]): string[] =>
  [...new Set(answers.map((one) => one.split(" ")[0]!))].toSorted();

export const sourcesOf = (answers: readonly string[]): string[] =>
  [...new Set(answers.map((one) => one.split(" ")[1] ?? one))].toSorted();

export const dump = (state: NftState): string[] =>
  [...state.table.all()].map(({ family, set, key, data }) => `${family} ${set} ${key} : ${data}`).toSorted();

export const until = async (what: string, check: () => boolean | Promise<boolean>): Promise<void> => {
  for (const end = Date.now() + 30_000; !(await check()); await wait(20)) {
    if (Date.now() > end) throw new Error(`waiting for ${what}: still not so after 30 seconds`);
  }
};

export function nftablesLab(): NftablesLab {
  let network: Network;
  const planned: Planned[] = [];
  before(async () => {
    network = await openNetwork();
  });
  after(() => network?.close());
  afterEach(async () => {
    for (const one of planned.splice(0)) await one.engine.close();
    await nftablesEngine(network.at("node")).cleanup(new AbortController().signal);
  });
  return {
    get network() {
      return network;
    },
    get node() {
      return network.at("node");
    },
    plan(node = nodePlan(), host = network.at("node")) {
      const one = new Planned(host, node);
      planned.push(one);
      return one;
    },
    nft: async (...args) => (await network.at("node").check("nft", args)).stdout,
    load: (input) => network.at("node").check("nft", ["-f", "-"], { input }),
    call: (from, ip, times = 1, more = {}) =>
      network.call(from, { protocol: "TCP", ip, port: 80, times, wait: 5000, ...more }),
  };
}

/** The thirty addresses of the client. */
export const CLIENTS = {
  IPv4: Array.from({ length: 30 }, (_, at) => `192.168.8.${at + 2}`),
  IPv6: Array.from({ length: 30 }, (_, at) => `fd00:8::${(at + 2).toString(16)}`),
} as const;
