/**
 * IPVS, whose kernel modules few machines have, in a kernel of its own beside direct connections and iptables in the same one (it has no nftables): new
 * connections with 1 and with 1,000 Services, as proxy-connections measures them. Calls of the system are dear in user-mode Linux,
 * and it has one processor: these figures say something beside each other, and nothing beside those of another kernel.
 */
import { noUml, runInUml } from "../test/lab/uml.ts";
import { IPVS_MODULES } from "../test/proxy/lab/ipvs-modules.ts";

const OF_IPTABLES = ["nat", "addrtype", "bpf", "connmark", "recent", "statistic"];

const missing = await noUml();
if (missing !== false) {
  console.log(`IPVS: not measured (${missing})`);
  process.exit();
}
const env = Object.fromEntries(
  ["ROUNDS", "SERVICES"].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
) as Record<string, string>;
const ran = await runInUml({
  file: "bench/inside/proxy-uml.ts",
  modules: [...IPVS_MODULES, ...OF_IPTABLES.map((name) => `xt_${name}`)],
  env,
  deadline: 880_000,
});
process.stdout.write(ran.stdout);
if (ran.status !== 0) process.stderr.write(ran.stderr);
process.exit(ran.status === 0 ? 0 : 1);
