/** Loads what the processes of a running system load, so that the compile cache has it. Starts nothing. */
import { flushCompileCache } from "node:module";

for (const module of [
  "../src/cli/supervisor/system.ts",
  "../src/cli/server/server.ts",
  "../src/cli/site/site.ts",
  "../src/cli/site/parts/node.ts",
  "../src/cli/site/parts/proxy.ts",
  "../src/cli/site/parts/dns.ts",
  "../src/cli/manifests/apply.ts",
  "../src/apiserver/openapi/documents.ts",
  "../src/store/etcd/etcd.ts",
  "../src/apiserver/pki/issue.ts",
  "../src/cli/server/certificates.ts",
]) {
  await import(module);
}
flushCompileCache();
process.exit(0);
