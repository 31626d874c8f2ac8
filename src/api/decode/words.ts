/** A value that is not of its field's type: where it stands, what it is, what it should be. */
export interface TypeFault {
  /** `spec.ports[0].port` */
  readonly path: string;
  /** `a whole number from -2147483648 to 2147483647` */
  readonly expected: string;
  /** `the text "eighty"` */
  readonly found: string;
  /** The same in the words of Go's decoder, which clients of upstream know. */
  readonly upstream: string;
}

const EXPECTED: Record<string, string> = {
  string: "a text",
  boolean: "true or false",
  int32: "a whole number from -2147483648 to 2147483647",
  int64: "a whole number",
  time: "a time such as 2006-01-02T15:04:05Z",
  microtime: "a time such as 2006-01-02T15:04:05.000000Z",
  byte: "base64 text",
  intOrString: "a whole number or a text",
  quantity: "a quantity such as 100m, 2 or 64Mi",
};

const GO_TYPES: Record<string, string> = {
  string: "string",
  boolean: "bool",
  int32: "int32",
  int64: "int64",
  time: "string",
  microtime: "string",
  byte: "[]uint8",
  intOrString: "string",
  quantity: "string",
};

/** What a type word of the field table asks for, in words. */
export function expectedWords(word: string): string {
  if (word.startsWith("[]")) return "a list";
  if (word.startsWith("map:")) return "an object";
  return EXPECTED[word] ?? "an object";
}

/** Our table's name of a type, where Go's differs. */
const goName = (type: string): string => (type === "CoreEndpointPort" ? "EndpointPort" : type);

function goType(word: string): string {
  if (word.startsWith("[]")) return `[]${goType(word.slice(2))}`;
  if (word.startsWith("map:")) return `map[string]${goType(word.slice(4))}`;
  return GO_TYPES[word] ?? `v1.${goName(word)}`;
}

const jsonWord = (value: unknown): string => {
  if (typeof value === "string") return "string";
  if (typeof value === "number") return "number";
  if (typeof value === "boolean") return "bool";
  return Array.isArray(value) ? "array" : "object";
};

/** `json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32` */
export function unmarshalWords(value: unknown, word: string, struct: string, goPath: string): string {
  // Go says the number itself only where a number was expected and this one does not fit.
  const number = typeof value === "number" && (word === "int32" || word === "int64" || word === "intOrString");
  const what = number ? `number ${value}` : jsonWord(value);
  const into = goPath === "" ? "value" : `struct field ${goName(struct)}.${goPath}`;
  return `json: cannot unmarshal ${what} into Go ${into} of type ${word === "intOrString" && number ? "int32" : goType(word)}`;
}

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text);

export function foundWords(value: unknown): string {
  if (typeof value === "string") return `the text ${JSON.stringify(shorten(value))}`;
  if (typeof value === "number") return `the number ${value}`;
  if (typeof value === "boolean") return String(value);
  return Array.isArray(value) ? "a list" : "an object";
}
