// Module: a tree of layers. What it owns is found by walking its public fields, so a model is declared
// by nothing but its fields.

import {
  type DType,
  dtypeOf,
  formatShape,
  isFloat,
  sameShape,
  type Shape,
  type TypedArray,
} from "../dtype.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { Variable } from "../variable.ts";

/** A variable that is trained. A plain {@linkcode Variable} in a module is a buffer: saved, not trained. */
export class Parameter extends Variable {}

/** A module with one input and one result. */
export interface Layer extends Module {
  /** The result for an input. */
  forward(x: TensorLike): Tensor;
}

/** Numbers for a module's variables, by name: what a checkpoint file holds. */
export type HostState = Readonly<
  Record<string, { readonly shape: Shape; readonly data: TypedArray }>
>;

/**
 * A part of a model. Fields that are variables, modules, or arrays and records of them belong to it
 * under the name of the field in snake case (`runningMean` is `running_mean`), joined by dots, so that
 * names and shapes are those of the same model in PyTorch. A variable found twice counts once.
 *
 * @example
 * ```ts
 * import { Conv2d, Linear, Module } from "./mod.ts";
 * class Net extends Module {
 *   readonly conv1 = new Conv2d(3, 8, { kernelSize: 3 });
 *   readonly heads = { hair: new Linear(8, 12) };
 * }
 * Object.keys(new Net().namedParameters());
 * // conv1.weight, conv1.bias, heads.hair.weight, heads.hair.bias
 * ```
 */
export abstract class Module {
  /** Whether layers behave as in training: batch statistics, dropout. */
  training = true;

  /** Every parameter, in the order of the fields. */
  parameters(): Parameter[] {
    return Object.values(this.namedParameters());
  }

  /** Every parameter by name. */
  namedParameters(): Record<string, Parameter> {
    return Object.fromEntries(
      this.#variables().filter((found): found is [string, Parameter] =>
        found[1] instanceof Parameter
      ),
    );
  }

  /** Every variable that is saved but not trained, such as running statistics, by name. */
  namedBuffers(): Record<string, Variable> {
    return Object.fromEntries(this.#variables().filter(([, v]) => !(v instanceof Parameter)));
  }

  /** This module, of no name, and every module in it by name, parents before children. */
  namedModules(): Record<string, Module> {
    return Object.fromEntries(
      walk(this).flatMap(({ name, value }) => value instanceof Module ? [[name, value]] : []),
    );
  }

  /** Every parameter and buffer by name: what a checkpoint keeps. */
  stateDict(): Record<string, Variable> {
    return Object.fromEntries(this.#variables());
  }

  /**
   * Sets every parameter and buffer. Real numbers of another width are converted, and PyTorch's
   * `num_batches_tracked`, which nothing here needs, is passed over.
   *
   * @throws {Error} where a name is missing or unknown, or a shape or type differs; then nothing is changed.
   */
  loadStateDict(state: HostState): void {
    const own = this.stateDict();
    for (const name of Object.keys(state)) {
      if (!Object.hasOwn(own, name) && !name.endsWith("num_batches_tracked")) {
        throw new Error(`Cannot load state: the model has no "${name}"`);
      }
    }
    for (const [name, variable] of Object.entries(own)) {
      if (!Object.hasOwn(state, name)) throw new Error(`Cannot load state: "${name}" is missing`);
      if (!sameShape(state[name].shape, variable.shape)) {
        throw new Error(
          `Cannot load state: "${name}" has shape ${
            formatShape(state[name].shape)
          }, the model's is ` +
            formatShape(variable.shape),
        );
      }
    }
    const numbers = Object.entries(own).map(([name, { dtype, size }]) => {
      const { data } = state[name];
      if (data.length === size) return converted(name, data, dtype);
      throw new Error(`Cannot load state: "${name}" has ${data.length} elements vs ${size}`);
    });
    Object.values(own).forEach((variable, i) => variable.set(numbers[i]));
  }

  /** Puts the whole tree into training mode, or out of it. */
  train(mode = true): this {
    for (const found of walk(this)) {
      if (found.value instanceof Module) found.value.training = mode;
    }
    return this;
  }

  /** Puts the whole tree into the mode of use: running statistics, no dropout. */
  eval(): this {
    return this.train(false);
  }

  /** What is searched for variables and modules, by name: the public fields. */
  members(): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(this).map(([field, value]) => [snakeCase(field), value]),
    );
  }

  #variables(): [string, Variable][] {
    return walk(this).flatMap(({ name, value }) =>
      value instanceof Variable ? [[name, value]] : []
    );
  }
}

/** Numbers as the array of a variable's type, where both are real. */
function converted(name: string, data: TypedArray, dtype: DType): TypedArray {
  const from = dtypeOf(data);
  if (from === dtype) return data;
  if (!isFloat(from) || !isFloat(dtype)) {
    throw new Error(`Cannot load state: "${name}" is ${from}, the model's is ${dtype}`);
  }
  return dtype === "f32" ? new Float32Array(data) : new Float16Array(data);
}

interface Found {
  readonly name: string;
  readonly value: Variable | Module;
}

/** Every variable and module of the tree once, parents before children. */
function walk(root: Module): Found[] {
  const seen = new Set<unknown>(), found: Found[] = [];
  function visit(name: string, value: unknown): void {
    if (typeof value !== "object" || value === null || seen.has(value)) return;
    seen.add(value);
    if (value instanceof Variable || value instanceof Module) found.push({ name, value });
    const prefix = name === "" ? "" : `${name}.`;
    for (const [key, child] of Object.entries(childrenOf(value))) visit(prefix + key, child);
  }
  visit("", root);
  return found;
}

function childrenOf(value: object): Record<string, unknown> {
  if (value instanceof Module) return value.members();
  const plain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  return plain ? value as Record<string, unknown> : {};
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
