import { same, type AnnotationGroup } from "../group.ts";

export const accessLog: AnnotationGroup = {
  title: "Log",
  annotations: [{ name: "enable-access-log", value: "true or false", verdict: same }],
  read: (said) => ({ settings: { accessLog: said.truth("enable-access-log", true) } }),
};
