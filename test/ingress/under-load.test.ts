import { test } from "node:test";
import { builtin } from "./lab/engines/builtin.ts";
import { haproxy } from "./lab/engines/haproxy.ts";
import { changeUnderLoad } from "./under-load/story.ts";

for (const subject of [builtin, haproxy]) {
  void test(
    `${subject.name}: CTL-153: routes, endpoints, certificates and the engine itself change under load: no request fails, no WebSocket is lost but with its pod`,
    { skip: subject.missing ?? false, timeout: 900_000 },
    async (t) => changeUnderLoad(t, subject),
  );
}
