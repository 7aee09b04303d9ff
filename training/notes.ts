/** What was said of a run, a line each: beside the losses this is what tells how it went. */
const NOTES = "messages.jsonl";

/** Writes down what was said at a step. That the disk is full is told by what has to be written. */
export function note(folder: string, said: { step: number; message: string }): void {
  const line = JSON.stringify({ time: new Date().toISOString(), ...said });
  try {
    Deno.writeTextFileSync(`${folder}/${NOTES}`, `${line}\n`, { append: true });
  } catch {
    // Said aloud it was.
  }
}
