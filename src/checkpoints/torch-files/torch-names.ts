import { isKind, type PickledValue, type StoredNumbers } from "./values.ts";

/** PyTorch's classes of stored numbers, by their types in safetensors files. */
export const STORAGES = {
  "torch.DoubleStorage": "F64",
  "torch.FloatStorage": "F32",
  "torch.HalfStorage": "F16",
  "torch.BFloat16Storage": "BF16",
  "torch.LongStorage": "I64",
  "torch.IntStorage": "I32",
} as const;

const DICTIONARIES = ["collections.OrderedDict", "builtins.dict", "__builtin__.dict"];
const SETS = ["builtins.set", "__builtin__.set"];
const TENSOR = "torch._utils._rebuild_tensor_v2";
const PARAMETERS = ["torch._utils._rebuild_parameter", "torch.nn.parameter.Parameter"];
const PARAMETER_DICT = "torch.nn.modules.container.ParameterDict";

const CALLABLE = new Set<string>([
  ...Object.keys(STORAGES),
  ...DICTIONARIES,
  ...SETS,
  ...PARAMETERS,
  TENSOR,
  PARAMETER_DICT,
]);

/** Whether a name is one of those that stand for plain things here. */
export function isCallable(name: string): boolean {
  return CALLABLE.has(name);
}

/** What calling a name would give. @throws Error with the reason */
export function makeObject(name: string, args: readonly PickledValue[]): PickledValue {
  if (DICTIONARIES.includes(name)) return dictionary(args[0]);
  if (SETS.includes(name)) return Array.isArray(args[0]) ? args[0] : [];
  // a parameter is its tensor
  if (PARAMETERS.includes(name)) return args[0] ?? null;
  if (name === PARAMETER_DICT) return { kind: "object", state: null };
  if (name === TENSOR) {
    const [numbers, offset, shape, strides] = args;
    if (isKind(numbers, "numbers") && isCount(offset) && isCounts(shape) && isCounts(strides))
      return { kind: "tensor", numbers, offset, shape, strides };
  }
  throw new Error(`${name} in it is called with what it does not take`);
}

/** The numbers that a persistent id names: ("storage", class, key, location, count). @throws Error with the reason */
export function numbersOf(id: PickledValue): StoredNumbers {
  if (Array.isArray(id)) {
    const [what, type, key] = id;
    if (what === "storage" && isKind(type, "name") && type.name in STORAGES && typeof key === "string")
      return { kind: "numbers", type: type.name, key };
  }
  throw new Error("it names a storage in a way that is not understood");
}

/** Gives an object its state. @throws Error with the reason */
export function stateOf(target: PickledValue, state: PickledValue): void {
  if (isKind(target, "object")) target.state = state;
  // an OrderedDict may have attributes, such as a state dictionary's `_metadata`
  else if (!(target instanceof Map)) throw new Error("it sets the state of what has none");
}

function dictionary(items: PickledValue | undefined): Map<PickledValue, PickledValue> {
  const pairs = Array.isArray(items) ? items : [];
  return new Map(
    pairs.flatMap((pair): [PickledValue, PickledValue][] => (Array.isArray(pair) ? [[pair[0], pair[1]]] : [])),
  );
}

function isCount(value: PickledValue | undefined): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isCounts(value: PickledValue | undefined): value is number[] {
  return Array.isArray(value) && value.length <= 8 && value.every(isCount);
}
