import type { DnsConfiguration } from "../configuration/configuration.ts";
import type { watchForLoop } from "../forward/loop.ts";
import type { outsideOf } from "../forward/outside-of.ts";
import type { hostsFiles } from "../hosts/file.ts";
import type { createHosts } from "../hosts/hosts.ts";

/** What only some configurations need. */
export interface Needed {
  readonly hosts?: {
    readonly createHosts: typeof createHosts;
    readonly hostsFiles: typeof hostsFiles;
  };
  readonly forward?: {
    readonly outsideOf: typeof outsideOf;
    readonly watchForLoop: typeof watchForLoop;
  };
}

async function loadHosts(): Promise<Needed["hosts"]> {
  const [hosts, file] = await Promise.all([import("../hosts/hosts.ts"), import("../hosts/file.ts")]);
  return { createHosts: hosts.createHosts, hostsFiles: file.hostsFiles };
}

async function loadForward(): Promise<Needed["forward"]> {
  const [outside, loop] = await Promise.all([import("../forward/outside-of.ts"), import("../forward/loop.ts")]);
  return { outsideOf: outside.outsideOf, watchForLoop: loop.watchForLoop };
}

/** Loads what a configuration needs and no more: reading modules is most of the time that a start takes. */
export async function loadNeeded({ servers }: DnsConfiguration): Promise<Needed> {
  const [hosts, forward] = await Promise.all([
    servers.some((block) => block.hosts !== undefined) ? loadHosts() : undefined,
    servers.some((block) => block.forward.length > 0) ? loadForward() : undefined,
  ]);
  return { ...(hosts === undefined ? {} : { hosts }), ...(forward === undefined ? {} : { forward }) };
}
