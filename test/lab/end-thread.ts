import type { ProcessIdentity } from "../../src/host/process-identity.ts";
import { CHECKOUT, type LabHost } from "./lab.ts";
import { until } from "./until.ts";

/** Speaks to Node's inspector, which SIGUSR1 opens, and ends one thread by `process.exit` in it. */
const script = (name: string): string => `
  fetch("http://127.0.0.1:9229/json/list")
    .then((answer) => answer.json())
    .then(([{ webSocketDebuggerUrl }]) => {
      const socket = new WebSocket(webSocketDebuggerUrl);
      const say = (id, method, params) => socket.send(JSON.stringify({ id, method, params }));
      socket.onopen = () => say(1, "NodeWorker.enable", { waitForDebuggerOnStart: false });
      socket.onmessage = ({ data }) => {
        const { id, method, params } = JSON.parse(data);
        if (method === "NodeWorker.attachedToWorker" && params.workerInfo.title.endsWith(" ${name}")) {
          const order = { id: 1, method: "Runtime.evaluate", params: { expression: "process.exit(7)" } };
          say(2, "NodeWorker.sendMessageToWorker", { sessionId: params.sessionId, message: JSON.stringify(order) });
        }
        if (method === "NodeWorker.detachedFromWorker") process.exit(0);
      };
    });
  setTimeout(() => process.exit(9), 5000);
`;

/** Ends a worker thread of a Node process that runs in this host's network, whatever it is doing; the process goes on. */
export async function endThread(host: LabHost, of: ProcessIdentity, name: string): Promise<void> {
  process.kill(of.pid, "SIGUSR1");
  await until(`thread ${name} of process ${of.pid} to end`, async () => {
    const { code, stderr } = await host.run(`${CHECKOUT}/node_modules/.bin/node`, ["-e", script(name)]);
    if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
    return true;
  });
}
