import type { Node } from "../../api/generated/types.ts";
import { nodes } from "../../api/resources.ts";
import { createCache } from "../../client/cache.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { nodeFacts, type NodeFacts } from "./facts.ts";

/** The Node this proxy acts for, watched by its name (PRX-003). */
export interface OwnNode {
  readonly node: Node | undefined;
  readonly facts: NodeFacts;
  /** Resolves when the Node is as wanted, or after so many milliseconds: whether it is. */
  until(wanted: (facts: NodeFacts) => boolean, milliseconds: number): Promise<boolean>;
  /** Called after every change. Returns the way to stop. */
  onChange(listener: () => void): () => void;
  stop(): void;
}

export function watchOwnNode(options: {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly nodeName: string;
}): OwnNode {
  const { nodeName, clock } = options;
  const cache = createCache<Node>({ ...options, resource: nodes, fieldSelector: `metadata.name=${nodeName}` });
  const listeners = new Set<() => void>();
  let facts = nodeFacts(undefined);
  cache.onChange(() => {
    facts = nodeFacts(cache.get(nodeName));
    for (const listener of listeners) listener();
  });
  return {
    get node() {
      return cache.get(nodeName);
    },
    get facts() {
      return facts;
    },
    until: (wanted, milliseconds) =>
      new Promise((resolve) => {
        const end = (is: boolean): void => {
          cancel();
          listeners.delete(look);
          resolve(is);
        };
        const look = (): void => {
          if (wanted(facts)) end(true);
        };
        const cancel = clock.after(milliseconds, () => end(false));
        listeners.add(look);
        look();
      }),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stop: () => cache.stop(),
  };
}
