import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { CHECKOUT, type LabHost } from "../../lab/lab.ts";
import type { Answers } from "./visitor.ts";

const DEBIAN = "/usr/bin/chromium";

/** Debian's Chromium, or undefined where it is not installed. */
export const browserPath: string | undefined = existsSync(DEBIAN) ? DEBIAN : undefined;
export const WITHOUT_BROWSER = "there is no chromium: 'npm run clients' installs it";

export interface Browser {
  /** What a visitor does, and what is seen; see {@link Answers}. */
  does<Name extends keyof Answers>(name: Name, text?: string): Promise<Answers[Name]>;
  close(): Promise<void>;
}

/** A headless Chromium in the network of a lab host, where every name is the host itself. */
export async function openBrowser(host: LabHost, url: string): Promise<Browser> {
  const program = [`${CHECKOUT}/test/e2e/browsing/visitor.ts`, browserPath!, url];
  const running = await host.open(process.execPath, program, { env: { HOME: host.scratch, TMPDIR: host.scratch } });
  let complaints = "";
  running.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  const lines = createInterface({ input: running.stdout })[Symbol.asyncIterator]();
  return {
    async does(name, text = "") {
      running.stdin.write(`${name} ${text}\n`);
      const { value: line, done } = await lines.next();
      if (done === true) throw new Error(`the browser has ended: ${complaints}`);
      const answer = JSON.parse(line) as { readonly value: Answers[typeof name] } | { readonly error: string };
      if ("error" in answer) throw new Error(`the browser, asked to ${name}: ${answer.error}`);
      return answer.value;
    },
    async close() {
      running.stdin.end();
      const timer = setTimeout(() => running.kill("SIGKILL"), 10_000);
      await running.ended;
      clearTimeout(timer);
    },
  };
}
