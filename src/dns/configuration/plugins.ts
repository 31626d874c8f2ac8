import type { DnsConfiguration, ServerBlock } from "./configuration.ts";

/** What a block does, by the names of CoreDNS's plugins for it. */
export const pluginsOf = (block: ServerBlock, configuration: DnsConfiguration): string[] =>
  Object.entries({
    cache: block.cache !== undefined,
    errors: block.errors,
    forward: block.forward.length > 0,
    health: configuration.health !== undefined,
    hosts: block.hosts !== undefined,
    kubernetes: block.kubernetes !== undefined,
    loadbalance: block.loadbalance,
    log: block.log.length > 0,
    loop: block.loop,
    prometheus: configuration.prometheus !== undefined,
    ready: configuration.ready !== undefined,
    reload: configuration.reload !== undefined,
  }).flatMap(([plugin, isOn]) => (isOn ? [plugin] : []));
