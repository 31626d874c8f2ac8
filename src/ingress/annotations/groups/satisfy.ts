import { same, type AnnotationGroup } from "../group.ts";

/** Whether one of client addresses and authentication is enough. */
export const satisfy: AnnotationGroup = {
  title: "All protections or any",
  annotations: [{ name: "satisfy", value: "word", verdict: same }],
  read: (said) => ({ settings: { satisfy: said.word("satisfy", ["all", "any"], "all") } }),
};
