import { connect, type Socket } from "node:net";
import { Answers, type Command } from "./protocol.ts";

/** HAProxy would not do a command, or did not answer. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
  constructor(command: string, complaint: string) {
    // The first line alone: a payload may hold a private key.
    super(`telling HAProxy '${command.split("\n")[0]}': ${complaint.split("\n")[0]}`);
  }
}

/** Milliseconds in which a batch of commands must be answered. */
const PATIENCE = 30_000;
/** Milliseconds in which a worker must have ended a connection that it was told to. */
const GOODBYE = 1000;
/** Commands that are sent before the first of them is answered. */
const AHEAD = 64;

/** A connection to the runtime API of one worker. */
export interface RuntimeSession {
  /** Runs the commands in order and answers what each said. Throws {@link CommandFailed} for the first that was not done; the rest may have been. */
  run(commands: readonly Command[]): Promise<string[]>;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
  /** Says goodbye, and resolves when the worker has taken note. */
  close(): Promise<void>;
}

/** Connects, or rejects. */
export async function openSession(path: string): Promise<RuntimeSession> {
  const socket: Socket = connect(path);
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  const answers = new Answers();
  const waiting: ((answer: string | Error) => void)[] = [];
  let gone: Error | undefined;
  const fail = (error: Error): void => {
    gone ??= error;
    socket.destroy();
    for (const answered of waiting.splice(0)) answered(gone);
  };
  socket.setEncoding("utf8");
  socket.on("error", fail);
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  void closed.then(() => fail(new Error("the connection was closed")));
  socket.on("data", (chunk: string) => {
    for (const answer of answers.read(chunk)) waiting.shift()?.(answer);
  });

  const ask = (text: string): Promise<string | Error> =>
    new Promise((resolve) => {
      if (gone !== undefined) {
        resolve(gone);
        return;
      }
      waiting.push(resolve);
      socket.write(`${text}\n`);
    });

  const run = async (commands: readonly Command[]): Promise<string[]> => {
    const said: string[] = [];
    for (let at = 0; at < commands.length; at += AHEAD) {
      const part = commands.slice(at, at + AHEAD);
      const patience = setTimeout(() => fail(new Error(`no answer within ${PATIENCE / 1000} s`)), PATIENCE);
      const results = await Promise.all(part.map(({ text }) => ask(text))).finally(() => clearTimeout(patience));
      for (const [index, answer] of results.entries()) {
        const command = part[index]!;
        const complaint = answer instanceof Error ? answer.message : command.complaint(answer);
        if (complaint !== undefined) throw new CommandFailed(command.text, complaint);
        said.push(answer as string);
      }
    }
    return said;
  };
  await ask("prompt");
  const close = async (): Promise<void> => {
    if (gone === undefined) socket.end("quit\n");
    const patience = setTimeout(() => socket.destroy(), GOODBYE);
    await closed;
    clearTimeout(patience);
  };
  return { run, closed, close };
}
