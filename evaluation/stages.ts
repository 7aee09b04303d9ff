/** How far one part of an evaluation has come. */
export interface StageProgress {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  readonly secondsLeft: number;
}

/** Whom an evaluation tells how far it is. */
export interface StageListener {
  readonly onProgress?: (progress: StageProgress) => void;
  /** A part is done. */
  readonly onStage?: (stage: string, seconds: number) => void;
}

/** Runs the parts of an evaluation, tells of each, and keeps how long it took. */
export class Stages {
  /** By stage, rounded to milliseconds. */
  readonly seconds: Record<string, number> = {};
  readonly #listener: StageListener;

  constructor(listener: StageListener = {}) {
    this.#listener = listener;
  }

  /** Runs one part, which may tell how much of it is done. */
  async run<R>(
    stage: string,
    work: (progress: (done: number, total: number) => void) => Promise<R> | R,
  ): Promise<R> {
    const started = performance.now();
    const passed = (): number => (performance.now() - started) / 1000;
    const result = await work((done, total) =>
      this.#listener.onProgress?.({
        stage,
        done,
        total,
        secondsLeft: passed() / done * (total - done),
      })
    );
    this.seconds[stage] = Math.round(1000 * passed()) / 1000;
    this.#listener.onStage?.(stage, passed());
    return result;
  }
}
