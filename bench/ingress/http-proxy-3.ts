/** `http-proxy-3.ts PORT ROUTES`: as its README has it, with connections that are kept. */
import { Agent, createServer } from "node:http";
import { createProxyServer } from "http-proxy-3";
import { ENDPOINTS, hosts } from "./site.ts";

const [port, routes] = process.argv.slice(2).map(Number);
const targets = new Map(hosts(routes ?? 1).map((host) => [host, ENDPOINTS]));
const proxy = createProxyServer({ agent: new Agent({ keepAlive: true, maxSockets: 256 }) });
proxy.on("error", (error, _request, response) => {
  process.stderr.write(`${error.message}\n`);
  if ("writeHead" in response) response.writeHead(502).end();
});
let turn = 0;
createServer((request, response) => {
  const found = targets.get((request.headers.host ?? "").split(":")[0]!.toLowerCase());
  if (found === undefined) {
    response.writeHead(404).end();
    return;
  }
  turn += 1;
  proxy.web(request, response, { target: `http://127.0.0.1:${found[turn % found.length]}` });
}).listen(port, "127.0.0.1", 4096);
