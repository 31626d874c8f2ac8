import { flushCompileCache } from "node:module";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { Compacted } from "../store.ts";
import { openDatabase, refusal, sqliteCode, sqliteCodes } from "./database.ts";
import type { OpenedDatabase } from "./database.ts";
import { prepareHistory } from "./history.ts";
import type { Failure, Question, ReadQuestion, Reply, WorkerData, WorkerMessage, WriteQuestion } from "./protocol.ts";
import { prepareReader } from "./read.ts";
import { schemas } from "./schema.ts";
import { readState } from "./state.ts";
import { prepareWriter } from "./write.ts";

const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const failure = (error: unknown): Failure => {
  if (error instanceof Compacted) {
    return { name: "Compacted", revision: error.revision, compactRevision: error.compactRevision };
  }
  return { name: error instanceof RangeError ? "RangeError" : "Error", message: sentence(error) };
};

/** What stands in the database's way for as long as this file is open; a full disk can be helped, and is not among it. */
const isBroken = (error: unknown): boolean => {
  const code = sqliteCode(error);
  return code === sqliteCodes.ioError || code === sqliteCodes.corrupt || code === sqliteCodes.notADatabase;
};

const serve = (port: MessagePort, { db, notes }: OpenedDatabase, { path, history: limits }: WorkerData): void => {
  const history = prepareHistory(db, limits);
  const writer = prepareWriter(db, history);
  const reader = prepareReader(db);
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  let state = readState(db);

  const say = (message: WorkerMessage): void => port.postMessage(message, []);

  const write = (question: WriteQuestion): Reply => {
    const { id } = question;
    if (question.type === "write") return { id, answer: writer.write(state, question) };
    if (question.revision > state.revision) {
      const message = `compacting at revision ${question.revision}: the newest revision is ${state.revision}`;
      return { id, failure: { name: "RangeError", message } };
    }
    history.compact(state, question.revision);
    return { id, answer: null };
  };

  /** All writes of the turn in one transaction. They are told of only after COMMIT; when it fails, none of them happened. */
  const writeAll = (questions: readonly WriteQuestion[]): void => {
    try {
      const was = { ...state };
      begin.run();
      const replies = questions.map(write);
      const { revision } = state;
      // A transaction that changed nothing commits without touching the disk.
      if (revision !== was.revision || state.compactRevision !== was.compactRevision) writer.finish(state);
      commit.run();
      const { compactRevision } = state;
      say({ type: "committed", revision, compactRevision, replies });
    } catch (error) {
      const message = `writing to the store ${path}: ${sentence(error)}`;
      // After a failed write to disk nobody knows what is there: only opening the file anew tells.
      if (isBroken(error)) throw new Error(message, { cause: error });
      if (db.isTransaction) db.exec("ROLLBACK");
      state = readState(db);
      say({ type: "answered", replies: questions.map(({ id }) => ({ id, failure: { name: "Error", message } })) });
    }
  };

  const read = (question: ReadQuestion): Reply => {
    const { id } = question;
    try {
      switch (question.type) {
        case "get":
          return { id, answer: reader.get(state, question) };
        case "list":
          return { id, answer: reader.list(state, question) };
        case "changes":
          return { id, answer: reader.changes(state, question) };
      }
    } catch (error) {
      if (isBroken(error)) throw new Error(`reading the store ${path}: ${sentence(error)}`, { cause: error });
      return { id, failure: failure(error) };
    }
  };

  /** Writes first: whoever reads in the same turn has not been told of them yet, and may see them. */
  const take = (questions: readonly Question[]): void => {
    const writes: WriteQuestion[] = [];
    const reads: ReadQuestion[] = [];
    let closing: number | undefined;
    for (const question of questions) {
      if (question.type === "write" || question.type === "compact") writes.push(question);
      else if (question.type === "close") closing = question.id;
      else reads.push(question);
    }
    if (writes.length > 0) writeAll(writes);
    for (const question of reads) say({ type: "answered", replies: [read(question)] });
    if (closing !== undefined) {
      db.close();
      say({ type: "answered", replies: [{ id: closing, answer: null }] });
      port.close();
    }
  };

  port.on("message", (first: readonly Question[]) => {
    // What came while the last turn's writes were made durable joins this turn.
    const questions = [...first];
    for (let more = receiveMessageOnPort(port); more !== undefined; more = receiveMessageOnPort(port)) {
      questions.push(...(more.message as readonly Question[]));
    }
    try {
      take(questions);
    } catch (error) {
      say({ type: "broken", sentence: sentence(error) });
      port.close();
    }
  });
  say({ type: "opened", revision: state.revision, compactRevision: state.compactRevision, notes });
};

if (parentPort !== null) {
  const data = workerData as WorkerData;
  try {
    serve(parentPort, openDatabase(data.path, schemas), data);
  } catch (error) {
    const refused: WorkerMessage = { type: "refused", sentence: refusal(data.path, error).message };
    parentPort.postMessage(refused, []);
    parentPort.close();
  }
  // Kept for the next start even when this process is killed; nothing to do where there is no cache, or it has all.
  flushCompileCache();
}
