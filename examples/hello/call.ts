/**
 * Calls a Service by name once a second and says who answered: the name, the address it resolved to, the pod,
 * and each pod's share so far. Run inside the site: `fairlead shell -- node examples/hello/call.ts web [CALLS]`.
 */
import { lookup } from "node:dns/promises";
import { request } from "node:http";

const name = process.argv[2] ?? "web";
const calls = Number(process.argv[3] ?? "Infinity");
const shares = new Map<string, number>();

/** A new connection each time, as a new client would make. */
function call(address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: address, port: 80, headers: { host: name }, agent: false, timeout: 2000 },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (body += chunk));
        response.on("end", () => resolve(body.trim()));
      },
    );
    asked.on("timeout", () => asked.destroy(new Error("no answer within 2 s")));
    asked.on("error", reject);
    asked.end();
  });
}

async function line(): Promise<string> {
  const { address } = await lookup(name);
  const pod = await call(address);
  shares.set(pod, (shares.get(pod) ?? 0) + 1);
  const total = [...shares.values()].reduce((sum, count) => sum + count, 0);
  const said = [...shares].sort(([one], [other]) => (one < other ? -1 : 1));
  return `http://${name}  ${address}  ${pod}   ${said.map(([who, count]) => `${who} ${Math.round((100 * count) / total)}%`).join("  ")}`;
}

for (let count = 0, next = Date.now(); count < calls; count++) {
  try {
    console.log(await line());
    next += 1000;
  } catch (error) {
    // Before the first answer the pods are still starting: ask again at once.
    if (shares.size > 0) console.log(`http://${name}  ${(error as Error).message}`);
    next = Date.now() + (shares.size > 0 ? 1000 : 20);
  }
  if (count + 1 < calls) await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - Date.now())));
}
