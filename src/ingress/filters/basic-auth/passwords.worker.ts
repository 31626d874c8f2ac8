import { parentPort } from "node:worker_threads";
import { crypt } from "../../../host/crypt.ts";
import { checkPassword } from "./check.ts";
import type { PasswordAnswer, PasswordQuestion } from "./protocol.ts";

/** Checks passwords, one after the other. */
function answerOf({ id, password, hash }: PasswordQuestion): PasswordAnswer {
  try {
    return { id, isRight: checkPassword(Buffer.from(password), hash, crypt) };
  } catch (error) {
    return { id, fault: (error as Error).message };
  }
}

parentPort!.on("message", (question: PasswordQuestion) => parentPort!.postMessage(answerOf(question)));
