import { PassThrough, type Readable } from "node:stream";

function held(from: Readable): Readable {
  const to = new PassThrough();
  from.once("error", (error) => to.destroy(error));
  // Cut off without an end: whoever reads must not wait for one.
  from.once("close", () => {
    if (!from.readableEnded) to.destroy(new Error("the output of the command broke off"));
  });
  to.once("close", () => from.resume());
  // An error before anyone reads is told to the reader when it comes.
  to.on("error", () => {});
  return from.pipe(to);
}

/** What a program says. */
export interface ProgramStreams {
  readonly stdout: Readable;
  readonly stderr: Readable;
}

/**
 * A program whose output is kept until it is read. Node drops what a program that has ended said when nobody reads yet, and a client of
 * SPDY opens its streams only after the command has begun.
 */
export const holdOutput = ({ stdout, stderr }: ProgramStreams): ProgramStreams => ({
  stdout: held(stdout),
  stderr: held(stderr),
});
