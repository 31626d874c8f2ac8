import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { readFlags } from "../flags.ts";
import { apiAccess } from "../api-access.ts";
import { PROXY_FLAGS, proxyConfiguration } from "./proxy-flags.ts";

const HEAD = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";
const read = (argv: readonly string[], file = "") =>
  proxyConfiguration(readFlags("proxy", PROXY_FLAGS, argv), () => {
    if (file === "") throw Object.assign(new Error("ENOENT: no such file"), { code: "ENOENT" });
    return file;
  });

test("PRX-256: flags are written as kube-proxy's, with and without a sign between", () => {
  const { configuration } = read([
    "--masquerade-all",
    "--bind-address-hard-fail=false",
    "--proxy-mode=ipvs",
    "-v",
    "4",
  ]);
  deepEqual(
    [
      configuration.iptables.masqueradeAll,
      configuration.bindAddressHardFail,
      configuration.mode,
      configuration.logging.verbosity,
    ],
    [true, false, "ipvs", 4],
  );
});

test("PRX-256, PRX-220, PRX-221: the deprecated flags of ports move a server, and 0 or an empty address is none", () => {
  const addresses = (...argv: string[]): string[] => {
    const { healthzBindAddress, metricsBindAddress } = read(argv).configuration;
    return [healthzBindAddress, metricsBindAddress];
  };
  deepEqual(addresses("--healthz-port", "0", "--metrics-port", "0"), ["", ""]);
  deepEqual(addresses("--healthz-port", "1000"), ["0.0.0.0:1000", "127.0.0.1:10249"]);
  deepEqual(addresses("--healthz-bind-address", "[::1]:7", "--healthz-port", "1000"), ["[::1]:7", "127.0.0.1:10249"]);
  deepEqual(addresses("--metrics-bind-address="), ["0.0.0.0:10256", ""]);
});

test("PRX-253: beside a file other flags are named as passed over, and the node's name is not", () => {
  const { configuration, warnings } = read(
    ["--config", "f", "--proxy-mode", "ipvs", "--hostname-override", "n1"],
    `${HEAD}mode: nftables\n`,
  );
  deepEqual([configuration.mode, configuration.hostnameOverride], ["nftables", "n1"]);
  deepEqual(warnings, ["passed over, because f is stronger: --proxy-mode"]);
});

test("PRX-251: all that is wrong is said at once, and a file that cannot be read by its name", () => {
  throws(() => read(["--proxy-mode", "x", "--oom-score-adj", "2000"]), /ProxyMode[^]*|OOMScoreAdj[^]*/);
  throws(() => read(["--config", "f"]), /reading the configuration f: ENOENT/);
  throws(() => read(["--config", "f"], "kind: Pod"), /reading the configuration f: it is "Pod"/);
  throws(() => read(["--ipvs-sync-period", "soon"]), /--ipvs-sync-period: "soon" is not a duration/);
});

test("in a pod the API server is found by its service account, and --master takes its place", () => {
  throws(
    () => apiAccess({}, { KUBERNETES_SERVICE_HOST: "10.96.0.1" }, "test"),
    /looking for the API server: .*serviceaccount/,
  );
  equal(apiAccess({ server: "http://10.0.0.1:8080" }, {}, "test").server, "http://10.0.0.1:8080");
  throws(() => apiAccess({}, {}, "test"), /looking for the API server: no kubeconfig/);
});
