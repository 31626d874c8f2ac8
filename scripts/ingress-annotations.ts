/** Writes docs/ingress-annotations.md from the annotations that the code knows. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { annotationsPage } from "./ingress-annotations/page.ts";

writeFileSync(join(import.meta.dirname, "../docs/ingress-annotations.md"), annotationsPage());
