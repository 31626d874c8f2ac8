import type { RunResult } from "../../src/host/host.ts";
import type { ProcessIdentity } from "../../src/host/process-identity.ts";
import { CHECKOUT } from "./lab.ts";
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
  // The last resort: a process that is gone meanwhile says nothing more.
  setTimeout(() => process.exit(9), 5000);
`;

/**
 * Ends a worker thread of a Node process, whatever it is doing; the process goes on. `inside` runs a program in that process's network.
 */
export async function endThread(
  inside: (command: string, ...args: string[]) => Promise<RunResult>,
  of: ProcessIdentity,
  name: string,
): Promise<void> {
  process.kill(of.pid, "SIGUSR1");
  await until(`thread ${name} of process ${of.pid} to end`, async () => {
    const { code, stderr } = await inside(`${CHECKOUT}/node_modules/.bin/node`, "-e", script(name));
    if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
    return true;
  });
}
