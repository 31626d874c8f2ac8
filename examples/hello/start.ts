/** Starts Fairlead with a Service in front of three pods, and calls it by name until Ctrl-C. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

const fairlead = join(import.meta.dirname, "../../bin/fairlead");
const data = process.env["FAIRLEAD_DATA"] === undefined ? [] : ["--data", process.env["FAIRLEAD_DATA"]];
const began = performance.now();
const seconds = (): string => `${((performance.now() - began) / 1000).toFixed(2)} s`;

const up = spawn(
  fairlead,
  ["up", "--private", "-o", "json", ...data, "-f", join(import.meta.dirname, "web.yaml"), ...process.argv.slice(2)],
  {
    stdio: ["ignore", "pipe", "inherit"],
  },
);

/** Until the pods are ready the caller tries again at once. */
function startCaller(): void {
  const caller = spawn(
    fairlead,
    ["shell", ...data, "--", process.execPath, join(import.meta.dirname, "call.ts"), "web"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let first = true;
  createInterface({ input: caller.stdout }).on("line", (line) => {
    console.log(first ? `${line}   (first answer after ${seconds()})` : line);
    first = false;
  });
  up.once("exit", () => caller.kill());
}

createInterface({ input: up.stdout }).on("line", (text) => {
  const event = JSON.parse(text) as { event: string; kubeconfig?: string; server?: string };
  if (event.event === "ready") {
    console.log(
      `Fairlead is ready after ${seconds()}. In another shell:\n  export KUBECONFIG=${event.kubeconfig}\n  kubectl get all\n`,
    );
    startCaller();
  }
});

// Ctrl-C reaches every process of the terminal; what arrives by another way is handed on.
process.on("SIGINT", () => up.kill("SIGINT"));
process.on("SIGTERM", () => up.kill("SIGTERM"));
up.once("exit", (code) => {
  process.exitCode = code ?? 1;
});
