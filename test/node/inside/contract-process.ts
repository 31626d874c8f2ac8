import { join } from "node:path";
import { silentLog } from "../../../src/observe/log.ts";
import { processRuntime } from "../../../src/node/runtimes/process/process-runtime.ts";
import { runtimeContract } from "../contract/contract.ts";
import { host, rootless } from "../contract/subject.ts";

const SERVER = `
  const server = require("node:http").createServer((_, answer) => answer.end(require("node:os").hostname()));
  server.listen(Number(process.argv[1]), "::");
  process.on("SIGTERM", () => process.exit(0));
`;

runtimeContract({
  name: "process",
  abilities: { programs: true, exec: true, attach: "joins", judges: false, answersWhileAway: true, many: 200 },
  make: (scratch) =>
    processRuntime({
      host,
      log: silentLog,
      scratch: join(scratch, "view"),
      hidden: [scratch],
      nodeBinary: process.execPath,
      rootless,
      allowHostAccess: false,
      cgroup: scratch,
      memory: "1Gi",
    }),
  server: (port) => ({ name: "main", command: ["node", "-e", SERVER, String(port)], ports: [{ containerPort: port }] }),
});
