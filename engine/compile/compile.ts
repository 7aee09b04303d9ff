// compile(fn): a function of tensors, traced once for each shape of its arguments and replayed after.

import { byteLength, formatShape, type TypedArray, typedArray } from "../dtype.ts";
import type { Precision } from "../kernels/dispatch.ts";
import type { LeafOp } from "../op.ts";
import { Device } from "../runtime/device.ts";
import { readBuffers } from "../runtime/readback.ts";
import { constantData, constantOp, Tensor } from "../tensor.ts";
import { Variable, type VariableBindings, withBindings } from "../variable.ts";
import { type Estimate, type EstimateOptions, estimateProgram } from "./estimate.ts";
import type { KernelSite, Program } from "./lower.ts";
import type { Passes } from "./passes.ts";
import { Plan, resultBuffer, resultOp, targetOf } from "./plan.ts";
import { formatPlan, formatProfile } from "./report.ts";
import { sitesOf } from "./sites.ts";
import { debugFlags } from "../debug.ts";

/** An argument of a compiled function. */
const argumentOp: LeafOp = { name: "argument", kind: "leaf" };

/** What a compiled function may return. */
export type Results =
  | void
  | Tensor
  | readonly Tensor[]
  | { readonly [name: string]: Tensor };

class Bindings implements VariableBindings {
  readonly assignments = new Map<Variable, Tensor>();
  get(variable: Variable): Tensor | undefined {
    return this.assignments.get(variable);
  }
  set(variable: Variable, value: Tensor): void {
    this.assignments.set(variable, value);
  }
}

/** A function of tensors that {@linkcode compile} made. */
export interface Compiled<R extends Results> {
  (...args: Tensor[]): R;
  /**
   * The kernels of a call with such arguments that there are several variants of; nothing is run. Give
   * them to {@linkcode tune} before the first call.
   */
  sites(...args: Tensor[]): readonly KernelSite[];
  /**
   * What each call with such arguments takes.
   *
   * @throws {Error} where it was not called with such arguments before.
   */
  footprint(...args: Tensor[]): Footprint;
  /** What a call with such arguments would take on some machine; no device is needed, and nothing is run. */
  estimate(args: readonly Tensor[], options: EstimateOptions): Estimate;
}

/** What a call of a compiled function takes. */
export interface Footprint {
  /** Kernels that are run, those that only run where variables changed included. */
  readonly dispatches: number;
  /** Bytes of intermediate values. */
  readonly bytes: number;
  /** Bytes among them of what is kept from call to call, for variables alone decide it. */
  readonly kept: number;
}

/** A function's graph for arguments of some shapes. */
interface Trace<R> {
  readonly program: Program;
  readonly inputs: readonly Tensor[];
  readonly returned: R;
}

/** What the first call of some shapes makes of their trace. */
interface Replay<R> {
  readonly plan: Plan;
  readonly inputs: readonly GPUBuffer[];
  readonly result: R;
  calls: number;
}

/** What a compiled function has on a device, by the types and shapes of its arguments. */
interface Work<R> {
  readonly traces: Map<string, Trace<R>>;
  readonly replays: Map<string, Replay<R>>;
}
/** Finds the plan that a compiled function keeps for arguments of given shapes. */
const plansOf = new WeakMap<object, (args: readonly Tensor[]) => Plan | undefined>();

/** The call that KAO_DEBUG=profile times: the first ones are busy compiling. */
const PROFILED_CALL = 3;

/**
 * Makes a function of tensors fast: its first call for given shapes traces it into a plan of kernels, every
 * call uploads the arguments, enqueues the plan, and returns at once.
 *
 * What it returns are tensors on the device. They hold their numbers until the same function is
 * called again; `read` fetches them, and other compiled functions accept them as arguments.
 * Variables assigned inside are updated by every call. Where none are, what is computed from variables alone, such
 * as weights laid out for products, is kept until one of them changes.
 *
 * @param fn must build the same graph each time: it runs once, so JavaScript values it reads are frozen.
 * @param options.name what errors and reports call it.
 * @param options.precision `f16` lets tiled products on GPUs round their operands to f16: see
 * docs/engine.md. By default nothing is rounded.
 * @throws {TypeError} at the first call where `precision` asks for what the device lacks.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { compile, Device, mul, read, sum, tensor } from "../mod.ts";
 * await Device.open();
 * const energy = compile((x) => sum(mul(x, x)));
 * const [value] = await read([energy(tensor([3, 4]))]);
 * assertEquals([...value], [25]);
 * ```
 */
export function compile<R extends Results>(
  fn: (...args: Tensor[]) => R,
  options: { name?: string; device?: Device; precision?: Precision } = {},
): Compiled<R> {
  const name = options.name ?? (fn.name || "step");
  const workOn = new WeakMap<Device, Work<R>>();
  const lookUp = (args: readonly Tensor[]): Work<R> & { device: Device; key: string } => {
    const device = options.device ?? Device.default;
    device.check();
    const work = workOn.get(device) ?? { traces: new Map(), replays: new Map() };
    workOn.set(device, work);
    args.forEach((x, at) => checkArgument(x, { at, name }));
    return { ...work, device, key: keyOf(args) };
  };
  const call = (...args: Tensor[]): R => {
    const { device, traces, replays, key } = lookUp(args);
    let replay = replays.get(key);
    if (replay === undefined) {
      replay = prepare(device, traces.get(key) ?? trace(fn, { args, name }), options);
      replays.set(key, replay);
      traces.delete(key); // The graph is of no use any more.
    }
    const fill = (encoder: GPUCommandEncoder): void =>
      args.forEach((x, at) => fillArgument(device, encoder, { target: replay.inputs[at], x }));
    if (++replay.calls === PROFILED_CALL && debugFlags.has("profile")) {
      const { plan } = replay, encoder = device.encoder();
      fill(encoder);
      device.queue.submit([encoder.finish()]);
      device.watch(
        plan.time().then((timing) => console.error(formatProfile(name, plan, timing))),
      );
    } else {
      replay.plan.run(fill);
    }
    return replay.result;
  };
  plansOf.set(call, (args) => {
    const { replays, key } = lookUp(args);
    return replays.get(key)?.plan;
  });
  const sites = (...args: Tensor[]): readonly KernelSite[] => {
    const { device, traces, replays, key } = lookUp(args);
    const traced = traces.get(key) ?? trace(fn, { args, name });
    if (!replays.has(key)) traces.set(key, traced);
    return sitesOf(traced.program, targetOf(device));
  };
  const footprint = (...args: Tensor[]): Footprint => {
    const { dispatches, arenaBytes, keptBytes } = planOf(call, args);
    return { dispatches: dispatches.length, bytes: arenaBytes, kept: keptBytes };
  };
  const estimate = (args: readonly Tensor[], options: EstimateOptions): Estimate =>
    estimateProgram(trace(fn, { args, name }).program, options);
  return Object.assign(call, { sites, footprint, estimate });
}

/**
 * The plan that a compiled function replays for arguments of these shapes, for measurements and tests.
 *
 * @throws {Error} where it was not called with such arguments before.
 */
export function planOf(compiled: (...args: Tensor[]) => Results, args: readonly Tensor[]): Plan {
  const plan = plansOf.get(compiled)?.(args);
  if (plan === undefined) throw new Error("There is no plan yet: call the compiled function first");
  return plan;
}

const keyOf = (args: readonly Tensor[]): string =>
  args.map((x) => `${x.dtype}[${x.shape}]`).join(",");

function trace<R extends Results>(
  fn: (...args: Tensor[]) => R,
  { args, name }: { args: readonly Tensor[]; name: string },
): Trace<R> {
  const inputs = args.map((x, at) => new Tensor(argumentOp, [], { at }, x.shape, x.dtype));
  const bindings = new Bindings();
  const returned = withBindings(bindings, () => fn(...inputs));
  const program = { name, outputs: leavesOf(returned), assignments: bindings.assignments };
  return { program, inputs, returned };
}

/** Makes what replays a trace, and the memory that it needs. */
function prepare<R extends Results>(
  device: Device,
  traced: Trace<R>,
  { precision }: { precision?: Precision },
): Replay<R> {
  const { program, inputs, returned } = traced;
  const bound = new Map<Tensor, GPUBuffer>();
  let plan: Plan;
  try {
    inputs.forEach((x, at) => {
      const purpose = `argument ${at} ${formatShape(x.shape)} of ${program.name}`;
      bound.set(x, device.createBuffer(byteLength(x.size, x.dtype), { purpose }));
    });
    plan = new Plan(device, program, { bound, target: { precision } });
  } catch (error) {
    bound.forEach((buffer) => device.destroyBuffer(buffer));
    throw error;
  }
  if (debugFlags.has("plan")) console.error(formatPlan(program.name, plan));
  const results = program.outputs.map((x, at) =>
    new Tensor(resultOp, [], { buffer: plan.outputs[at], device }, x.shape, x.dtype)
  );
  return {
    plan,
    inputs: inputs.map((x) => bound.get(x)!),
    result: rebuild(returned, results),
    calls: 0,
  };
}

function leavesOf(results: Results): Tensor[] {
  if (results instanceof Tensor) return [results];
  return results === undefined ? [] : Object.values(results);
}

/** The same structure with other tensors. */
function rebuild<R extends Results>(like: R, tensors: readonly Tensor[]): R {
  if (like === undefined) return like;
  if (like instanceof Tensor) return tensors[0] as R;
  if (Array.isArray(like)) return tensors as unknown as R;
  return Object.fromEntries(Object.keys(like as object).map((k, at) => [k, tensors[at]])) as R;
}

function checkArgument(argument: Tensor, options: { at: number; name: string }): void {
  const { at, name } = options, needed = "pass tensor(...) or the result of a compiled function";
  if (!(argument instanceof Tensor)) {
    const what = argument as unknown instanceof Variable
      ? "a Variable, which is used inside instead of passed"
      : `${typeof argument}, no Tensor`;
    throw new TypeError(`Cannot call ${name}: argument ${at} is ${what}; ${needed}`);
  }
  if (argument.op !== constantOp && argument.op !== resultOp) {
    throw new TypeError(
      `Cannot call ${name}: argument ${at} is ${argument}, which has no numbers yet; ${needed}`,
    );
  }
}

/** Uploads an argument, or records its copy: all of a call go into one submit, for each costs a quarter millisecond. */
function fillArgument(
  device: Device,
  encoder: GPUCommandEncoder,
  { target, x }: { target: GPUBuffer; x: Tensor },
): void {
  const data = constantData(x);
  if (data !== undefined) return device.upload(target, data);
  encoder.copyBufferToBuffer(resultBuffer(x, device), 0, target, 0, target.size);
}

/**
 * What a plan leaves out that runs once: nothing that it kept would be read again, and joined kernels are texts of
 * their own, which take a driver longer to compile than their dispatches take to run.
 */
const runsOnce: Partial<Passes> = { constants: false, join: false };

/**
 * The numbers of tensors and variables, in the same order. Tensors that were not computed are computed
 * now, all in one plan; everything is fetched together, because each wait costs milliseconds.
 *
 * @throws what the device reported since the last check: a kernel that is invalid, a lost device.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { add, Device, read, tensor } from "../mod.ts";
 * await Device.open();
 * const [sum] = await read([add(tensor([1, 2]), 3)]);
 * assertEquals([...sum], [4, 5]);
 * ```
 */
export async function read(
  values: readonly (Tensor | Variable)[],
  options: { device?: Device } = {},
): Promise<TypedArray[]> {
  const device = options.device ?? Device.default;
  device.check();
  const lazy = values.filter((x): x is Tensor =>
    x instanceof Tensor && x.op !== resultOp && constantData(x) === undefined
  );
  const plan = lazy.length === 0 ? undefined : new Plan(device, {
    name: "read",
    outputs: lazy,
    assignments: new Map(),
  }, { passes: runsOnce });
  try {
    plan?.run();
    const sources = values.map((x) => {
      if (x instanceof Variable) return x.bufferOn(device);
      if (x.op === resultOp) return resultBuffer(x, device);
      const at = lazy.indexOf(x);
      return at < 0 ? undefined : plan!.outputs[at];
    });
    const buffers = sources.filter((x) => x !== undefined);
    const bytes = await readBuffers(device, buffers);
    await device.settled();
    let next = 0;
    return values.map((x, at) =>
      sources[at] === undefined
        ? constantData(x as Tensor)!.slice() as TypedArray
        : typedArray(bytes[next++], x.size, x.dtype)
    );
  } finally {
    plan?.destroy();
  }
}
