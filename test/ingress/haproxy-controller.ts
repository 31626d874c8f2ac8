/** A controller of its own that carries one route by HAProxy, for tests that kill it: `haproxy-controller.ts DIRECTORY PORT-OF-THE-ENDPOINT`. */
import { backend, endpoint, host, plan, route, stand } from "./haproxy-ground.ts";

const [directory, port] = process.argv.slice(2);
const { engine } = await stand(directory!);
await engine.apply(
  plan(
    [host("a.example", route("a.example", { type: "prefix", path: "" }, "a"))],
    [backend("a", [endpoint("a", Number(port))])],
  ),
);
process.stdout.write(`${engine.listening.find(({ tls }) => !tls)!.port}\n`);
// Stays until it is killed.
setInterval(() => {}, 1 << 30);
