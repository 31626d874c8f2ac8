/** One of our annotations: what it may say, and what holds when it says nothing or nothing that can be read. */
export interface Annotation<T> {
  readonly name: string;
  /** Ends the sentence "… and should be …". */
  readonly should: string;
  readonly otherwise: T;
  /** Undefined for what cannot be read. */
  parse(text: string): T | undefined;
}

/** How much of a value is told. */
const SHOWN = 60;

/** The value of an annotation; what is wrong with it goes to `complain`, as a sentence. */
export function read<T>(annotation: Annotation<T>, text: string | undefined, complain: (sentence: string) => void): T {
  if (text === undefined) return annotation.otherwise;
  const value = annotation.parse(text.trim());
  if (value !== undefined) return value;
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  complain(`${annotation.name} is ${JSON.stringify(shown)} and should be ${annotation.should}; it is passed over`);
  return annotation.otherwise;
}
