import type { Host, Running } from "./host.ts";

/** nft refused: the exact complaint, and what it was given. */
export class NftFailed extends Error {
  override readonly name = "NftFailed";
  readonly input: string;
  constructor(complaint: string, input: string, options?: ErrorOptions) {
    const first = complaint.trim().split("\n").slice(0, 3).join(" | ");
    super(`writing nftables rules: ${first === "" ? "nft ended without a word" : first}`, options);
    this.input = input;
  }
}

/**
 * Loads a whole text as one transaction through a process of its own: best for bulk. With `-a -e` among the arguments it
 * answers what was added, with handles. Throws NftFailed.
 */
export async function loadText(
  host: Host,
  text: string,
  signal?: AbortSignal,
  args: readonly string[] = [],
): Promise<string> {
  const result = await host.run("nft", [...args, "-f", "-"], { input: text, signal, timeout: 120_000 });
  if (result.code !== 0) throw new NftFailed(result.stderr, text);
  return result.stdout;
}

/** Whether the kernel would take the text now; nothing is changed. Answers nft's complaint, or undefined. */
export async function checkText(host: Host, text: string, signal?: AbortSignal): Promise<string | undefined> {
  const result = await host.run("nft", ["-c", "-f", "-"], { input: text, signal, timeout: 30_000 });
  return result.code === 0 ? undefined : result.stderr.trim() || `nft ended with code ${result.code}`;
}

/** Milliseconds in which a long-lived nft must answer. */
const PATIENCE = 30_000;

/**
 * A long-lived `nft -i`: one line is one transaction, a fraction of a millisecond each. It is never asked to list
 * anything, since nft then keeps the whole rule set in memory.
 */
export class NftSession {
  readonly #host: Host;
  #running: Promise<Running> | undefined;
  #complaints = "";
  #waiting:
    | { readonly mark: string; readonly done: (complaint: string) => void; readonly fail: () => void }
    | undefined;
  #count = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Applies the lines as one transaction. Throws NftFailed; one call at a time. */
  async apply(lines: readonly string[]): Promise<void> {
    const line = lines.join("; ");
    const running = await this.#start();
    // Success prints nothing, so a line that is no command follows: its complaint says that all before is done.
    const mark = `fairleadmark${++this.#count}`;
    // One that does not answer is ended, which fails the call: the marker in the kernel then says what it did.
    const patience = setTimeout(() => running.kill("SIGKILL"), PATIENCE);
    const complaint = await new Promise<string>((done, fail) => {
      this.#waiting = { mark, done, fail: () => fail(new NftFailed(this.#complaints, line)) };
      running.stdin.write(`${line}\n${mark}\n`);
    }).finally(() => clearTimeout(patience));
    if (complaint !== "") throw new NftFailed(complaint, line);
  }

  async #start(): Promise<Running> {
    this.#running ??= this.#open();
    try {
      return await this.#running;
    } catch (error) {
      this.#running = undefined;
      throw error;
    }
  }

  async #open(): Promise<Running> {
    const running = await this.#host.open("nft", ["-i"], { stderr: "pipe" });
    running.stdout.resume();
    running.stderr.setEncoding("utf8");
    running.stderr.on("data", (text: string) => this.#hear(text));
    void running.ended.then(() => {
      this.#running = undefined;
      this.#waiting?.fail();
      this.#waiting = undefined;
      this.#complaints = "";
    });
    return running;
  }

  #hear(text: string): void {
    this.#complaints += text;
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const at = this.#complaints.indexOf(`\n${waiting.mark}\n`);
    if (at < 0) return;
    // The line before the mark is the complaint about the mark itself.
    const before = this.#complaints.slice(0, at);
    const complaint = before
      .slice(0, before.lastIndexOf("\n") + 1)
      .replaceAll(/^\s*\^+\s*$/gm, "")
      .trim();
    this.#complaints = "";
    this.#waiting = undefined;
    waiting.done(complaint);
  }

  /** Ends the process; rules stay. */
  async close(): Promise<void> {
    const running = await this.#running?.catch(() => undefined);
    if (running === undefined) return;
    running.stdin.end();
    running.kill();
    await running.ended;
  }
}
