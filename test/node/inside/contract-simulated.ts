import { silentLog } from "../../../src/observe/log.ts";
import { systemClock } from "../../../src/observe/clock.ts";
import { simulatedRuntime } from "../../../src/node/runtimes/simulated/simulated-runtime.ts";
import { runtimeContract } from "../contract/contract.ts";
import { host } from "../contract/subject.ts";

runtimeContract({
  name: "simulated",
  abilities: { programs: false, exec: false, attach: "refused", judges: true, answersWhileAway: false, many: 1000 },
  make: () => simulatedRuntime({ host, clock: systemClock, log: silentLog, nodeBinary: process.execPath }),
  server: (port) => ({ name: "main", image: "none", ports: [{ containerPort: port }] }),
});
