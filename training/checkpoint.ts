import { UserError } from "../data/mod.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  read,
  type SafetensorsFile,
  type StoredDType,
  type StoredTensor,
  type Variable,
} from "../engine/mod.ts";
import { asUserError, exists, replaceFile } from "./files.ts";
import { NotFiniteError } from "./not_finite.ts";
import type { RunDescription } from "./run.ts";

/** The newest checkpoint of a run. */
export const NEWEST = "checkpoint.safetensors";
/** The one before it, for when the newest turns out to be damaged. */
export const PREVIOUS = "checkpoint.previous.safetensors";

/** The one whose chosen metric was the best so far. */
export const BEST = "checkpoint.best.safetensors";

/** Where a damaged newest checkpoint is put when a run goes on from the one before it. */
export const DAMAGED = "checkpoint.damaged.safetensors";

/** The state of a run after some step, with the description of the run that it belongs to. */
export interface Checkpoint {
  readonly step: number;
  readonly run: RunDescription;
  /** How often the run had gone back to an earlier state because of numbers that were not finite. */
  readonly retries: number;
  /** What {@linkcode BEST} was kept for. */
  readonly best?: Score;
  /** Of all that it holds. */
  readonly sha256: string;
  /** Every variable by name. */
  readonly tensors: Readonly<Record<string, StoredTensor>>;
}

/** A metric with its value. */
export interface Score {
  readonly metric: string;
  readonly value: number;
}

/** What is written down with the variables. */
export interface CheckpointAbout {
  readonly step: number;
  readonly run: RunDescription;
  /** 0 unless given. */
  readonly retries?: number;
}

/**
 * Writes a checkpoint of `variables` into `folder` as a safetensors file that PyTorch's users can open.
 *
 * Whatever happens meanwhile, at least one whole checkpoint is on disk: the new one is written beside and
 * synced, the old one becomes the previous one, and only then does the new one take its name. The bytes
 * depend on the state alone.
 *
 * Throws a `NotFiniteError` where a weight is not finite: such a state must not replace a good one.
 */
export async function saveCheckpoint(
  folder: string,
  variables: Readonly<Record<string, Variable>>,
  about: CheckpointAbout,
): Promise<void> {
  const bytes = await encodeCheckpoint(variables, about);
  await replaceFile(`${folder}/${NEWEST}`, bytes, { keep: `${folder}/${PREVIOUS}` });
}

/** Writes {@linkcode BEST}, as {@linkcode saveCheckpoint} does the newest one. */
export async function saveBest(
  folder: string,
  variables: Readonly<Record<string, Variable>>,
  about: CheckpointAbout & { readonly best: Score },
): Promise<void> {
  await replaceFile(`${folder}/${BEST}`, await encodeCheckpoint(variables, about));
}

async function encodeCheckpoint(
  variables: Readonly<Record<string, Variable>>,
  about: CheckpointAbout & { readonly best?: Score },
): Promise<Uint8Array<ArrayBuffer>> {
  const { step, run, retries = 0, best } = about;
  const tensors = await readTensors(variables);
  const broken = Object.keys(tensors).find((name) => !tensors[name].data.every(Number.isFinite));
  if (broken) {
    throw new NotFiniteError(`After step ${step}, ${broken} is no longer finite`);
  }
  const metadata = {
    format: "pt",
    step: String(step),
    run: JSON.stringify(run),
    ...(retries > 0 && { retries: String(retries) }),
    ...(best && { best: JSON.stringify(best) }),
  };
  const sha256 = await checksum({ tensors, metadata });
  return encodeSafetensors(tensors, { ...metadata, sha256 });
}

/** The numbers of variables as they are now, by name. */
export async function readTensors(
  variables: Readonly<Record<string, Variable>>,
): Promise<Record<string, StoredTensor>> {
  const arrays = await read(Object.values(variables));
  return Object.fromEntries(
    Object.entries(variables).map(([name, { dtype, shape }], i) => [
      name,
      { dtype: dtype as StoredDType, shape, data: arrays[i] },
    ]),
  );
}

/**
 * The newest whole checkpoint in `folder`, or `undefined` where there is none at all. A damaged one is
 * passed over with a message to `warn`, and left where it is.
 *
 * Throws where there are checkpoints, and all are damaged.
 */
export async function loadCheckpoint(
  folder: string,
  warn: (message: string) => void,
): Promise<(Checkpoint & { file: string }) | undefined> {
  const damaged: string[] = [];
  for (const file of [`${folder}/${NEWEST}`, `${folder}/${PREVIOUS}`]) {
    let bytes: Uint8Array;
    try {
      bytes = await Deno.readFile(file);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw new UserError(`Cannot read ${file}: ${(error as Error).message}`);
    }
    try {
      const checkpoint = await parseCheckpoint(bytes);
      for (const message of damaged) {
        warn(`${message}. Going on from ${file} (step ${checkpoint.step})`);
      }
      return { ...checkpoint, file };
    } catch (error) {
      damaged.push(`${file} is damaged: ${(error as Error).message}`);
    }
  }
  if (damaged.length > 0) {
    throw new UserError(`${damaged.join("; ")}. No whole checkpoint is left in ${folder}`);
  }
  return undefined;
}

/**
 * The checkpoint that a file holds.
 *
 * Throws a `UserError` where there is no such file, or it is damaged.
 */
export async function readCheckpoint(file: string): Promise<Checkpoint> {
  const bytes = await asUserError(`Cannot read checkpoint ${file}`, () => Deno.readFile(file));
  return await asUserError(`${file} is no whole checkpoint`, () => parseCheckpoint(bytes));
}

/**
 * Moves a damaged newest checkpoint out of the way, so that it cannot take the place of the good one that
 * `checkpoint` was read from when the next one is saved.
 */
export async function setDamagedAside(
  folder: string,
  checkpoint: { readonly file: string },
): Promise<void> {
  const newest = `${folder}/${NEWEST}`;
  if (checkpoint.file === newest || !await exists(newest)) return;
  await asUserError(
    `Cannot move ${newest}`,
    () => Deno.rename(newest, `${folder}/${DAMAGED}`),
  );
}

/**
 * Gives variables the values that a checkpoint has for them. Throws where one is missing or of another
 * shape; nothing is changed then.
 */
export function restore(
  variables: Readonly<Record<string, Variable>>,
  tensors: Readonly<Record<string, StoredTensor>>,
): void {
  for (const [name, variable] of Object.entries(variables)) {
    const stored = tensors[name];
    if (!stored) throw new UserError(`The checkpoint has no ${name}`);
    if (String(stored.shape) !== String(variable.shape) || stored.dtype !== variable.dtype) {
      throw new UserError(
        `The checkpoint has ${name} as ${stored.dtype} [${stored.shape}], ` +
          `not as ${variable.dtype} [${variable.shape}]`,
      );
    }
  }
  for (const [name, variable] of Object.entries(variables)) variable.set(tensors[name].data);
}

async function parseCheckpoint(bytes: Uint8Array): Promise<Checkpoint> {
  const { tensors, metadata: { sha256, ...metadata } } = decodeSafetensors(bytes);
  if (await checksum({ tensors, metadata }) !== sha256) {
    throw new Error("its checksum does not match its contents");
  }
  return {
    step: Number(metadata.step),
    run: JSON.parse(metadata.run),
    retries: Number(metadata.retries ?? 0),
    ...(metadata.best && { best: JSON.parse(metadata.best) }),
    ...{ sha256, tensors },
  };
}

/** SHA-256 over the metadata, and over what each tensor is with the SHA-256 of its bytes, by name. */
async function checksum({ tensors, metadata }: SafetensorsFile): Promise<string> {
  const lines = [JSON.stringify(metadata)];
  for (const name of Object.keys(tensors).sort()) {
    const { dtype, shape, data } = tensors[name];
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    lines.push(`${name} ${dtype} ${shape} ${await sha256Hex(bytes)}`);
  }
  return await sha256Hex(new TextEncoder().encode(lines.join("\n")));
}

async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
