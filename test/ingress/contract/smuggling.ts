import assert from "node:assert/strict";
import { connect } from "node:net";
import { connect as tlsConnect } from "node:tls";
import type { EngineSubject } from "../lab/door.ts";
import { runShape, shapes, startRecorder } from "../smuggling.ts";
import { onStage } from "./stage.ts";

/** Shapes of bytes that have deceived proxies. */
export const smugglingExamples = (subject: EngineSubject): void =>
  onStage(subject, "smuggling", (add) => {
    for (const shape of shapes) {
      add(`smuggling: ${shape.name}`, async ({ cluster, door, follow }) => {
        const recorder = await startRecorder();
        try {
          const pod = { name: "recorder", uid: `recorder-${recorder.port}`, address: "127.0.0.1", port: recorder.port };
          cluster.service("recorder", [{ ...pod, protocol: "http" }]);
          cluster.ingress("recorder", { paths: [{ host: "recorder.test", service: "recorder" }] });
          await follow();
          const { plain, secure } = door;
          const failure = await runShape(shape, {
            host: "recorder.test",
            recorder,
            connect: async (over) =>
              new Promise((resolve, reject) => {
                const socket =
                  over === "http1"
                    ? connect(plain.port, plain.address, () => resolve(socket))
                    : tlsConnect(
                        {
                          host: secure.address,
                          port: secure.port,
                          servername: "recorder.test",
                          ALPNProtocols: ["h2"],
                          rejectUnauthorized: false,
                        },
                        () => resolve(socket),
                      );
                socket.once("error", reject);
              }),
          });
          const own = subject.ownReadings?.get(shape.name);
          if (own === undefined) assert.equal(failure, undefined);
          else {
            assert.deepEqual(recorder.faults, [], own);
            const lengths = recorder.requests.map(({ headers }) =>
              headers.filter((line) => /^(content-length|transfer-encoding|host):/i.test(line)),
            );
            for (const lines of lengths) {
              assert.equal(lines.filter((line) => /^host:/i.test(line)).length, 1);
              assert.ok(lines.length <= 2, `one length: ${lines.join("; ")}`);
            }
            for (const never of shape.never ?? [])
              assert.ok(!JSON.stringify(recorder.requests).toLowerCase().includes(never));
          }
        } finally {
          await recorder.close();
        }
      });
    }
  });
