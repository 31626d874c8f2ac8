/**
 * The shapes of names in the Kubernetes API. Each check answers with the reasons why the value is refused, in the words
 * clients know from upstream (apimachinery `validation`); an empty list is a good value.
 */
export type NameCheck = (value: string) => string[];

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const UNDERSCORED_LABEL = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const UNDERSCORED = `${UNDERSCORED_LABEL}(\\.${UNDERSCORED_LABEL})*`;
const CONFIG_KEY = "[-._a-zA-Z0-9]+";

const label = new RegExp(`^${LABEL}$`);
const label1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = new RegExp(`^${SUBDOMAIN}$`);
const underscored = new RegExp(`^${UNDERSCORED}$`);
const qualified = new RegExp(`^${QUALIFIED}$`);
const configKey = new RegExp(`^${CONFIG_KEY}$`);

const regexWords = (text: string, regex: string, ...examples: string[]): string =>
  `${text} (e.g. ${examples.map((example) => `'${example}'`).join(",  or ")}, regex used for validation is '${regex}')`;

const LABEL_WORDS = regexWords(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  LABEL,
  "my-name",
  "123-abc",
);
const LABEL_1035_WORDS = regexWords(
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  "[a-z]([-a-z0-9]*[a-z0-9])?",
  "my-name",
  "abc-123",
);
const SUBDOMAIN_WORDS = regexWords(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  SUBDOMAIN,
  "example.com",
);
const UNDERSCORED_WORDS = regexWords(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
  UNDERSCORED,
  "example.com",
);
const WILDCARD_WORDS = regexWords(
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  `\\*\\.${SUBDOMAIN}`,
  "*.example.com",
);
const NAME_PART_WORDS = regexWords(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  QUALIFIED,
  "MyName",
  "my.name",
  "123-abc",
);
const LABEL_VALUE_WORDS = regexWords(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  `(${QUALIFIED})?`,
  "MyValue",
  "my_value",
  "12345",
);

/** Lengths are counted in bytes, as Go does, and called characters everywhere but in labels and their like. */
const tooLong = (value: string, maximum: number, unit: "characters" | "bytes" = "characters"): string[] =>
  Buffer.byteLength(value) > maximum ? [`must be no more than ${maximum} ${unit}`] : [];

/** RFC 1123 label: up to 63 of `a-z 0-9 -`. */
export const checkLabel: NameCheck = (value) => [
  ...tooLong(value, 63),
  // What would be a good subdomain is wrong for its dots alone.
  ...(label.test(value) ? [] : subdomain.test(value) ? ["must not contain dots"] : [LABEL_WORDS]),
];

/** RFC 1035 label: as an RFC 1123 label, but starts with a letter. */
export const checkLabel1035: NameCheck = (value) => [
  ...tooLong(value, 63),
  ...(label1035.test(value) ? [] : [LABEL_1035_WORDS]),
];

const subdomainFaults = (value: string, unit: "characters" | "bytes"): string[] => [
  ...tooLong(value, 253, unit),
  ...(subdomain.test(value) ? [] : [SUBDOMAIN_WORDS]),
];

/** `*.` and an RFC 1123 subdomain: the hosts of one level below it. */
export const checkWildcardSubdomain: NameCheck = (value) => [
  ...tooLong(value, 253),
  ...(value.startsWith("*.") && subdomain.test(value.slice(2)) ? [] : [WILDCARD_WORDS]),
];
/** RFC 1123 subdomain: labels joined by dots, up to 253 characters in all. */
export const checkSubdomain: NameCheck = (value) => subdomainFaults(value, "characters");

/** As an RFC 1123 subdomain, with underscores too: a search domain of a pod since 1.34 (DNS-117). */
export const checkSubdomainWithUnderscores: NameCheck = (value) => [
  ...tooLong(value, 253),
  ...(underscored.test(value) ? [] : [UNDERSCORED_WORDS]),
];

/** A name of at least two labels; one trailing dot is tolerated (SVC-245). */
export const checkFqdn: NameCheck = (value) => {
  const bare = value.endsWith(".") ? value.slice(0, -1) : value;
  if (bare === "") return ["must not be empty"];
  const faults = checkSubdomain(bare);
  if (faults.length > 0) return faults;
  return bare.includes(".") ? [] : ["should be a domain with at least two segments separated by dots"];
};

/** A label key, an annotation key, an `appProtocol`: `name` or `sub.domain/name`. */
export const checkQualifiedName: NameCheck = (value) => {
  const parts = value.split("/");
  const name = parts.length === 1 ? value : parts[1]!;
  const faults: string[] = [];
  if (parts.length > 2) {
    return [
      "a valid label key " +
        NAME_PART_WORDS.replace(/\)$/, "") +
        ") with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    ];
  }
  if (parts.length === 2) {
    if (parts[0] === "") faults.push("prefix part must be non-empty");
    else faults.push(...subdomainFaults(parts[0]!, "bytes").map((why) => `prefix part ${why}`));
  }
  if (name === "") faults.push("name part must be non-empty");
  else faults.push(...tooLong(name, 63, "bytes").map((why) => `name part ${why}`));
  if (!qualified.test(name)) faults.push(`name part ${NAME_PART_WORDS}`);
  return faults;
};

export const checkLabelValue: NameCheck = (value) => [
  ...tooLong(value, 63, "bytes"),
  ...(value === "" || qualified.test(value) ? [] : [LABEL_VALUE_WORDS]),
];

/** IANA service name (RFC 6335, section 5.1): how a container port is named; one reason for each broken rule. */
export const checkPortName: NameCheck = (value) => {
  const faults: string[] = [];
  faults.push(...tooLong(value, 15));
  if (!/^[-a-z0-9]+$/.test(value))
    faults.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (!/[a-z]/.test(value)) faults.push("must contain at least one letter (a-z)");
  if (value.includes("--")) faults.push("must not contain consecutive hyphens");
  if (value.startsWith("-") || value.endsWith("-")) faults.push("must not begin or end with a hyphen");
  return faults;
};

/** Key of a ConfigMap or Secret: a file name that cannot leave its folder. */
export const checkConfigKey: NameCheck = (value) => {
  const faults: string[] = [];
  faults.push(...tooLong(value, 253));
  if (!configKey.test(value)) {
    faults.push(
      regexWords(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        CONFIG_KEY,
        "key.name",
        "KEY_NAME",
        "key-name",
      ),
    );
  }
  if (value === ".") faults.push("must not be '.'");
  else if (value === "..") faults.push("must not be '..'");
  else if (value.startsWith("..")) faults.push("must not start with '..'");
  return faults;
};

const PERCENT = "[0-9]+%";
const percent = new RegExp(`^${PERCENT}$`);
const PERCENT_WORDS = regexWords(
  "a valid percent string must be a numeric string followed by an ending '%'",
  PERCENT,
  "1%",
  "93%",
);

/** `25%` */
export const checkPercent: NameCheck = (value) => (percent.test(value) ? [] : [PERCENT_WORDS]);

const REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?";
const conditionReason = new RegExp(`^${REASON}$`);
const REASON_WORDS = regexWords(
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
  REASON,
  "my_name",
  "MY_NAME",
  "MyName",
  "ReasonA,ReasonB",
  "ReasonA:ReasonB",
);

/** Why a condition is as it is: one word, for programs. */
export const checkConditionReason: NameCheck = (value) => (conditionReason.test(value) ? [] : [REASON_WORDS]);

/** Any printable ASCII but `=` (the rule since Kubernetes 1.34; before it was a C identifier with dots and dashes). */
export const checkEnvName: NameCheck = (value) =>
  value !== "" && /^[ -<>-~]+$/.test(value)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];

/** A name that is one segment of a URL path: no `/`, no `%`, not `.` and not `..`. */
export const checkPathSegment: NameCheck = (value) => [
  ...(value === "." || value === ".." ? [`may not be '${value}'`] : []),
  ...["/", "%"].filter((sign) => value.includes(sign)).map((sign) => `may not contain '${sign}'`),
];

export const portRange = "must be between 1 and 65535, inclusive";
export const isPortNumber = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65535;
