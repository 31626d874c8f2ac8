import { access, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Container, Pod } from "../../api/generated/types.ts";
import { containerEnvironment } from "../environment/environment.ts";
import { expand } from "../environment/expand.ts";
import type { PodPlace } from "../environment/field-ref.ts";
import { serviceVariables } from "../environment/service-variables.ts";
import { podHostname } from "../network-files/hostname.ts";
import { hostsFile, nodeHostsFile } from "../network-files/hosts.ts";
import { resolvConf } from "../network-files/resolv-conf.ts";
import { NODE_DIRECTORY } from "../runtimes/process/confinement.ts";
import type { BindMount, ContainerStart } from "../runtimes/runtime.ts";
import type { PodRecord } from "../state/pod-record.ts";
import { volumeMounts } from "../volumes/volumes.ts";
import type { PodContext } from "./context.ts";
import { nodeObject } from "./node-object.ts";
import { notEnforced } from "./not-enforced.ts";
import { applySysctls } from "./sysctls.ts";

const NETWORK_FILES = ["hosts", "resolv.conf", "hostname"];
/** Its being there says that all of a pod's files were made. */
const PREPARED = "prepared";
/** What a container is started with that says nothing else; the last folder holds `node`. */
const PATH = `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${NODE_DIRECTORY}`;

/** Makes the pod's network unless it is there already, as that of an adopted pod is. */
export async function preparePodNetwork(context: PodContext, record: PodRecord): Promise<void> {
  const network = context.networks[record.sandbox.network];
  const there = await network.isThere(record.sandbox);
  if (there && record.networked === true) return;
  delete record.networked;
  if (there) {
    // One of us died before it wrote the network down, and may have begun a program in it, which would be found there only now.
    await context.runtimes.named(record.runtime).endLeftovers?.(context.files.pod(record.uid), record.sandbox);
    await network.remove(record.sandbox);
  }
  await network.make(record.sandbox);
  record.networked = true;
}

const placeOf = (context: PodContext, record: PodRecord): PodPlace => ({
  nodeName: context.nodeName,
  podIPs: record.sandbox.addresses,
  hostIPs: context.nodeAddresses,
  allocatable: context.allocatable,
});

/** Writes the pod's hosts, resolv.conf and hostname: once, as what the node is told later is for later pods (DNS-123). */
async function writeNetworkFiles(context: PodContext, pod: Pod, record: PodRecord): Promise<void> {
  const directory = context.files.pod(record.uid);
  const hostname = podHostname(pod, context.clusterDomain, context.hostname);
  const resolver = resolvConf({
    pod,
    host: await context.resolver(),
    clusterDNS: context.clusterDNS,
    clusterDomain: context.clusterDomain,
    nodeAddresses: context.nodeAddresses,
  });
  for (const { reason, message, about } of resolver.warnings) {
    context.events.event(pod, "Warning", reason, message);
    if (about === "pod and node") context.events.event(nodeObject(context.nodeName), "Warning", reason, message);
  }
  const aliases = pod.spec?.hostAliases ?? [];
  const hosts =
    pod.spec?.hostNetwork === true
      ? nodeHostsFile(await readFile("/etc/hosts", "utf8").catch(() => ""), aliases)
      : hostsFile(record.sandbox.addresses, hostname, aliases);
  await Promise.all([
    writeFile(join(directory, "hosts"), hosts),
    writeFile(join(directory, "resolv.conf"), resolver.text),
    writeFile(join(directory, "hostname"), `${hostname.kernel}\n`),
  ]);
}

/** Makes the pod's volumes, hosts, resolv.conf and hostname, or finds those of an adopted pod. Throws ConfigError. */
export async function preparePodFiles(context: PodContext, pod: Pod, record: PodRecord): Promise<void> {
  // A runtime without programs has nobody who would read them.
  if (record.sandbox.network === "shared") return;
  const directory = context.files.pod(record.uid);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await mkdir(context.files.volumes(record.uid), { recursive: true, mode: 0o700 });
  const mark = join(directory, PREPARED);
  const isThere = await access(mark).then(
    () => true,
    () => false,
  );
  if (!isThere) await writeNetworkFiles(context, pod, record);
  await context.volumes.prepare(pod, placeOf(context, record), isThere);
  if (isThere) return;
  for (const what of notEnforced(pod)) context.events.event(pod, "Warning", "LimitNotEnforced", what);
  await writeFile(mark, "");
}

/** What a start has without a program: nothing that it names is looked up, so nothing of it can be missing. */
async function withoutProgram(context: PodContext, pod: Pod, container: Container, record: PodRecord, attempt: number) {
  const logs = join(context.files.logs(record), container.name);
  await mkdir(logs, { recursive: true, mode: 0o700 });
  return {
    pod,
    container,
    sandbox: record.sandbox,
    hostname: podHostname(pod, context.clusterDomain, context.hostname).kernel,
    command: [],
    env: {},
    mounts: [],
    directory: join(context.files.pod(record.uid), container.name, String(attempt)),
    log: join(logs, `${attempt}.log`),
  };
}

/** All that the next start of a container needs, looked up now. Throws ConfigError. */
export async function containerStart(
  context: PodContext,
  pod: Pod,
  container: Container,
  record: PodRecord,
  attempt: number,
): Promise<ContainerStart> {
  if (record.sandbox.network === "shared") return withoutProgram(context, pod, container, record, attempt);
  const directory = context.files.pod(record.uid);
  const hostname = podHostname(pod, context.clusterDomain, context.hostname).kernel;
  const given = await containerEnvironment({
    pod,
    container,
    place: placeOf(context, record),
    serviceVariables: serviceVariables(context.services(), pod),
    lookups: context.lookups(record.namespace),
    warn: (reason, message) => context.events.event(pod, "Warning", reason, message),
  });
  const volumes = await volumeMounts(pod, container, await context.volumes.places(record.uid), given);
  // A container that mounts its own /etc/hosts keeps it (DNS-101).
  const taken = new Set(volumes.map(({ target }) => target));
  const files = NETWORK_FILES.map((name): BindMount => ({
    source: join(directory, name),
    target: `/etc/${name}`,
    readOnly: true,
  })).filter(({ target }) => !taken.has(target));
  // Before each start, so that they hold whenever a program of the pod begins.
  await applySysctls(context.host, record.sandbox, pod.spec?.securityContext?.sysctls ?? []);
  const logs = join(context.files.logs(record), container.name);
  await mkdir(logs, { recursive: true, mode: 0o700 });
  return {
    pod,
    container,
    sandbox: record.sandbox,
    hostname,
    // What the runtime adds below is no part of what `$(NAME)` may mean.
    command: [...(container.command ?? []), ...(container.args ?? [])].map((word) =>
      expand(word, (name) => given[name]),
    ),
    env: { PATH, HOME: "/", HOSTNAME: hostname, ...given },
    mounts: [...files, ...volumes],
    directory: join(directory, container.name, String(attempt)),
    log: join(logs, `${attempt}.log`),
  };
}
