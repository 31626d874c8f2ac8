import assert from "node:assert/strict";
import { test } from "node:test";
import { runShape, shapes, startRecorder, type Door } from "./smuggling.ts";
import { certificate, dial, dialTls, planWith, stand } from "./builtin/stand.ts";

test("nothing hidden in a request reaches a backend, and what can be read in two ways is refused", async (t) => {
  assert.ok(shapes.length >= 45, `${shapes.length} shapes`);
  const recorder = await startRecorder();
  await using engine = await stand(
    planWith({ endpoints: [recorder.port] }, { "": await certificate("", "a.example") }),
  );
  const door: Door = {
    host: "a.example",
    recorder,
    connect: (over) =>
      over === "http1"
        ? dial(engine.port(0))
        : dialTls(engine.port(1), { ALPNProtocols: ["h2"], servername: "a.example" }),
  };
  for (const shape of shapes)
    await t.test(shape.name, async () => assert.equal(await runShape(shape, door), undefined));
  await recorder.close();
});
