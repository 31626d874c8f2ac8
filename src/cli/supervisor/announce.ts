/** What `up` tells its user, as data; `-o json` prints it as it is. */
export type Announcement =
  | { readonly event: "api"; readonly server: string; readonly kubeconfig: string; readonly seconds: number }
  | {
      readonly event: "ready";
      readonly server: string;
      readonly kubeconfig: string;
      readonly data: string;
      readonly seconds: number;
    }
  | { readonly event: "applied"; readonly object: string; readonly how: "created" | "configured" | "unchanged" }
  | {
      readonly event: "refused";
      readonly file: string;
      readonly line: number;
      readonly object: string;
      readonly why: string;
    }
  | { readonly event: "restarted"; readonly process: string; readonly why: string }
  | { readonly event: "host-dns"; readonly says: string }
  | { readonly event: "ingress"; readonly http: number; readonly https: number; readonly remarks: readonly string[] }
  | { readonly event: "ending"; readonly how: "stop" | "remove" };

export type Announce = (announcement: Announcement) => void;

const inWords = (said: Announcement): { line: string; fault: boolean } => {
  switch (said.event) {
    case "api":
      return { line: `the API answers at ${said.server} (${said.seconds} s)`, fault: false };
    case "ready":
      return {
        line: `ready in ${said.seconds} s\n\n  export KUBECONFIG=${said.kubeconfig}\n  kubectl get all\n\nCtrl-C ends it and removes everything it made on this machine; the objects stay in ${said.data}.\n`,
        fault: false,
      };
    case "applied":
      return { line: `${said.object} ${said.how}`, fault: false };
    case "refused":
      return { line: `${said.file}:${said.line}: ${said.object}: ${said.why}`, fault: true };
    case "restarted":
      return { line: `started the ${said.process} process again: ${said.why}`, fault: true };
    case "host-dns":
      return { line: said.says, fault: false };
    case "ingress":
      return {
        line: [`Ingress is served on ports ${said.http} (http) and ${said.https} (https)`, ...said.remarks].join("; "),
        fault: false,
      };
    case "ending":
      return {
        line:
          said.how === "remove"
            ? "ending; removing what was made"
            : "ending; pods and rules stay, the next 'fairlead up' takes them over",
        fault: false,
      };
  }
};

/** Says announcements in sentences, or one JSON object a line. Faults go to standard error as well when JSON is asked for. */
export const announcer =
  (output: "text" | "json"): Announce =>
  (said) => {
    const { line, fault } = inWords(said);
    if (output === "json") process.stdout.write(`${JSON.stringify(said)}\n`);
    if (output === "text" || fault) (fault ? process.stderr : process.stdout).write(`fairlead: ${line}\n`);
  };
