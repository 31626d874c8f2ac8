/** Where something stands in a Corefile. */
export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** What is wrong at one place: what is there, and what should be. */
export interface Fault extends Place {
  readonly sentence: string;
}

/** A Corefile that cannot be taken, with everything that is wrong with it: one line of the message each, as `FILE:LINE: SENTENCE`. */
export class CorefileError extends Error {
  override readonly name = "CorefileError";
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map(textOf).join("\n"));
    this.faults = faults;
  }
}

/** `FILE:LINE: SENTENCE` */
export const textOf = ({ file, line, sentence }: Fault): string => `${file}:${line}: ${sentence}`;

export const faultAt = ({ file, line }: Place, sentence: string): CorefileError =>
  new CorefileError([{ file, line, sentence }]);

/** A word of somebody else's, short enough for a sentence. */
export const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
