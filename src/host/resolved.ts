import { ToolMissing, type Host } from "./host.ts";

/** What the machine's own resolver is to ask for the names in certain domains: resolvectl(1). */
export interface LinkResolver {
  /** The interface by which the servers are reached; what is set goes with it. */
  readonly link: string;
  readonly servers: readonly string[];
  /** Names that end in these are asked for there, all others are not. */
  readonly domains: readonly string[];
}

/** Whether systemd-resolved runs on this machine and can be spoken to. */
export async function hasResolved(host: Host): Promise<boolean> {
  try {
    return (await host.run("resolvectl", ["status"], { timeout: 10_000 })).code === 0;
  } catch (error) {
    if (error instanceof ToolMissing) return false;
    throw error;
  }
}

/** Throws ToolFailed where systemd-resolved refuses. */
export async function setLinkResolver(host: Host, { link, servers, domains }: LinkResolver): Promise<void> {
  // Before it has a server at all, so that no other name goes there for a moment.
  await host.check("resolvectl", ["default-route", link, "no"]);
  await host.check("resolvectl", ["domain", link, ...domains.map((domain) => `~${domain}`)]);
  await host.check("resolvectl", ["dns", link, ...servers]);
}

/** Forgets it; that the link or the resolver is gone does as well. */
export const revertLinkResolver = async (host: Host, link: string): Promise<void> =>
  void (await host.run("resolvectl", ["revert", link], { timeout: 10_000 }));
