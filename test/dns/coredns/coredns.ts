import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type {
  CacheOptions,
  DnsConfiguration,
  ForwardOptions,
  HostsOptions,
  KubernetesOptions,
  ServerBlock,
} from "../../../src/dns/configuration/configuration.ts";

/** The real CoreDNS, ended with its tests. */
export interface CoreDns {
  /** What it said so far. */
  readonly said: () => string;
  close(): Promise<void>;
}

const zoneText = (zone: string): string => (zone === "" ? "." : zone);

function kubernetesLines(options: KubernetesOptions, kubeconfig: string): string[] {
  return [
    `kubernetes ${options.zones.join(" ")} {`,
    `  kubeconfig ${kubeconfig}`,
    `  ttl ${options.ttl}`,
    `  pods ${options.pods}`,
    ...(options.endpointPodNames ? ["  endpoint_pod_names"] : []),
    ...(options.noEndpoints ? ["  noendpoints"] : []),
    ...(options.ignoreEmptyServices ? ["  ignore empty_service"] : []),
    ...(options.zonal ? ["  zonal"] : []),
    ...(options.fallthrough.length === 0 ? [] : [`  fallthrough ${options.fallthrough.map(zoneText).join(" ")}`]),
    ...(options.namespaces === undefined ? [] : [`  namespaces ${options.namespaces.join(" ")}`]),
    ...(options.namespaceLabels === undefined ? [] : [`  namespace_labels ${options.namespaceLabels}`]),
    ...(options.labels === undefined ? [] : [`  labels ${options.labels}`]),
    "}",
  ];
}

const hostsLines = (options: HostsOptions): string[] => [
  `hosts ${options.file ?? ""} ${(options.zones ?? []).map(zoneText).join(" ")} {`,
  ...options.inline.map((line) => `  ${line}`),
  `  ttl ${options.ttl}`,
  ...(options.noReverse ? ["  no_reverse"] : []),
  ...(options.fallthrough.length === 0 ? [] : [`  fallthrough ${options.fallthrough.map(zoneText).join(" ")}`]),
  "}",
];

const forwardLines = (options: ForwardOptions): string[] => [
  `forward ${zoneText(options.from)} ${options.to.map(({ address, port }) => `${address}:${port}`).join(" ")} {`,
  `  policy ${options.policy}`,
  ...(options.except.length === 0 ? [] : [`  except ${options.except.join(" ")}`]),
  ...(options.forceTcp ? ["  force_tcp"] : []),
  "}",
];

const cacheLines = ({ success, denial, servfail }: CacheOptions): string[] => [
  "cache {",
  `  success ${success.capacity} ${success.ttl} ${success.minTtl}`,
  `  denial ${denial.capacity} ${denial.ttl} ${denial.minTtl}`,
  `  servfail ${servfail}s`,
  "}",
];

const blockLines = (block: ServerBlock, kubeconfig: string): string[] => [
  `${block.zones.map((zone) => `${zoneText(zone)}:${block.port}`).join(" ")} {`,
  ...[
    "errors",
    ...(block.cache === undefined ? [] : cacheLines(block.cache)),
    ...(block.hosts === undefined ? [] : hostsLines(block.hosts)),
    ...(block.kubernetes === undefined ? [] : kubernetesLines(block.kubernetes, kubeconfig)),
    ...block.forward.flatMap(forwardLines),
  ].map((line) => `  ${line}`),
  "}",
];

/** The Corefile that says the same as our configuration. */
export const corefileOf = ({ servers }: DnsConfiguration, kubeconfig: string): string =>
  `${servers.flatMap((block) => blockLines(block, kubeconfig)).join("\n")}\n`;

/** Starts the CoreDNS that `binary` names; rejects when it ends at once, with what it said. */
export async function startCoreDns(binary: string, corefile: string, folder: string): Promise<CoreDns> {
  const path = join(folder, "Corefile");
  await writeFile(path, corefile);
  const child = spawn(binary, ["-conf", path], { stdio: ["ignore", "pipe", "pipe"], cwd: folder });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, "exit");
  const begun = new Promise<void>((resolve) => {
    // The first line of its banner comes when all its sockets are open.
    child.stdout.on("data", () => {
      if (/^CoreDNS-/m.test(said)) resolve();
    });
  });
  const failed = ended.then(() => {
    throw new Error(`CoreDNS ended: ${said}`);
  });
  failed.catch(() => {});
  await Promise.race([begun, failed]);
  return {
    said: () => said,
    async close() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
