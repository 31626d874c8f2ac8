import { invalid, required, type Fault } from "../../fault.ts";
import type { PodDNSConfig, PodSpec } from "../../generated/types.ts";
import { checked, oneOf } from "../../meta/check.ts";
import { checkIP } from "../../meta/ip.ts";
import { checkSubdomain, checkSubdomainWithUnderscores } from "../../meta/names.ts";

const POLICIES = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const NAMESERVERS = 3;
const SEARCHES = 32;
const SEARCH_CHARACTERS = 2048;

function validateConfig(config: PodDNSConfig, field: string): Fault[] {
  const { nameservers = [], searches = [], options = [] } = config;
  const faults: Fault[] = [];
  if (nameservers.length > NAMESERVERS) {
    faults.push(invalid(`${field}.nameservers`, nameservers, `must not have more than ${NAMESERVERS} nameservers`));
  }
  faults.push(...nameservers.flatMap((server, index) => checked(checkIP, `${field}.nameservers[${index}]`, server)));
  if (searches.length > SEARCHES) {
    faults.push(invalid(`${field}.searches`, searches, `must not have more than ${SEARCHES} search paths`));
  }
  if (searches.join(" ").length > SEARCH_CHARACTERS) {
    const most = `must not have more than ${SEARCH_CHARACTERS} characters (including spaces) in the search list`;
    faults.push(invalid(`${field}.searches`, searches, most));
  }
  for (const [index, search] of searches.entries()) {
    if (search === ".") continue;
    const at = `${field}.searches[${index}]`;
    faults.push(...checked(checkSubdomainWithUnderscores, at, search.replace(/\.$/, "")));
  }
  for (const [index, { name }] of options.entries()) {
    if (!name) faults.push(required(`${field}.options[${index}]`, "must not be empty"));
  }
  return faults;
}

/** The pod's resolver and its lines in the hosts file (DNS-116, DNS-117); `at` is where the spec stands. */
export function validateDns(spec: PodSpec, at: string): Fault[] {
  const { dnsPolicy, dnsConfig } = spec;
  const faults = oneOf(`${at}.dnsPolicy`, dnsPolicy, POLICIES);
  const field = `${at}.dnsConfig`;
  if (dnsPolicy === "None" && dnsConfig === undefined) {
    faults.push(required(field, "must provide `dnsConfig` when `dnsPolicy` is None"));
  } else if (dnsPolicy === "None" && (dnsConfig?.nameservers ?? []).length === 0) {
    faults.push(required(`${field}.nameservers`, "must provide at least one DNS nameserver when `dnsPolicy` is None"));
  } else if (dnsConfig !== undefined) faults.push(...validateConfig(dnsConfig, field));
  const aliases = (spec.hostAliases ?? []).flatMap((alias, index) => [
    ...checked(checkIP, `${at}.hostAliases[${index}].ip`, alias.ip),
    ...(alias.hostnames ?? []).flatMap((name, place) =>
      checked(checkSubdomain, `${at}.hostAliases[${index}].hostnames[${place}]`, name),
    ),
  ]);
  return [...faults, ...aliases];
}
