import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Container, Pod } from "../../api/generated/types.ts";
import { containerEnvironment, DEFAULT_PATH } from "../environment/environment.ts";
import { expand } from "../environment/expand.ts";
import { serviceVariables } from "../environment/service-variables.ts";
import { podHostname } from "../network-files/hostname.ts";
import { hostsFile } from "../network-files/hosts.ts";
import { resolvConf } from "../network-files/resolv-conf.ts";
import { NODE_DIRECTORY } from "../runtimes/process/confinement.ts";
import type { BindMount, ContainerStart } from "../runtimes/runtime.ts";
import type { PodRecord } from "../state/pod-record.ts";
import { makeVolumes, volumeMounts } from "../volumes/volumes.ts";
import type { PodContext } from "./context.ts";

const NETWORK_FILES = ["hosts", "resolv.conf", "hostname"];

/** Makes the pod's network unless it is there already, as that of an adopted pod is. */
export async function preparePodNetwork(context: PodContext, record: PodRecord): Promise<void> {
  const network = context.networks[record.sandbox.network];
  const there = await network.isThere(record.sandbox);
  if (there && record.networked === true) return;
  delete record.networked;
  if (there) await network.remove(record.sandbox);
  await network.make(record.sandbox);
  record.networked = true;
}

/** Writes the pod's volumes, hosts, resolv.conf and hostname. Throws ConfigError. */
export async function preparePodFiles(context: PodContext, pod: Pod, record: PodRecord): Promise<void> {
  // A runtime without programs has nobody who would read them.
  if (record.sandbox.network === "shared") return;
  const directory = context.files.pod(record.uid);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const hostname = podHostname(pod, context.clusterDomain);
  const resolver = resolvConf({
    pod,
    host: await context.resolver(),
    clusterDNS: context.clusterDNS,
    clusterDomain: context.clusterDomain,
    nodeAddresses: context.nodeAddresses,
  });
  for (const { reason, message } of resolver.warnings) context.events.event(pod, "Warning", reason, message);
  await Promise.all([
    writeFile(join(directory, "hosts"), hostsFile(record.sandbox.addresses, hostname, pod.spec?.hostAliases ?? [])),
    writeFile(join(directory, "resolv.conf"), resolver.text),
    writeFile(join(directory, "hostname"), `${hostname.kernel}\n`),
    mkdir(context.files.volumes(record.uid), { recursive: true, mode: 0o700 }),
  ]);
  await makeVolumes(pod, context.files.volumes(record.uid), context.lookups(record.namespace));
}

/** What a start has without a program: nothing that it names is looked up, so nothing of it can be missing. */
async function withoutProgram(context: PodContext, pod: Pod, container: Container, record: PodRecord, attempt: number) {
  const logs = join(context.files.logs(record), container.name);
  await mkdir(logs, { recursive: true, mode: 0o700 });
  return {
    pod,
    container,
    sandbox: record.sandbox,
    hostname: podHostname(pod, context.clusterDomain).kernel,
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
  const hostname = podHostname(pod, context.clusterDomain).kernel;
  const env = await containerEnvironment({
    pod,
    container,
    place: { nodeName: context.nodeName, podIPs: record.sandbox.addresses, hostIPs: context.nodeAddresses },
    hostname,
    path: `${DEFAULT_PATH}:${NODE_DIRECTORY}`,
    serviceVariables: serviceVariables(context.services(), pod),
    lookups: context.lookups(record.namespace),
  });
  const volumes = volumeMounts(pod, container, context.files.volumes(record.uid));
  // A container that mounts its own /etc/hosts keeps it (DNS-101).
  const taken = new Set(volumes.map(({ target }) => target));
  const files = NETWORK_FILES.map((name): BindMount => ({
    source: join(directory, name),
    target: `/etc/${name}`,
    readOnly: true,
  })).filter(({ target }) => !taken.has(target));
  const logs = join(context.files.logs(record), container.name);
  await mkdir(logs, { recursive: true, mode: 0o700 });
  return {
    pod,
    container,
    sandbox: record.sandbox,
    hostname,
    command: [...(container.command ?? []), ...(container.args ?? [])].map((word) => expand(word, (name) => env[name])),
    env,
    mounts: [...files, ...volumes],
    directory: join(directory, container.name, String(attempt)),
    log: join(logs, `${attempt}.log`),
  };
}
