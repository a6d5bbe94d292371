/** A place in a file of numbers, which a tensor is of. */
export interface StoredNumbers {
  readonly kind: "numbers";
  /** PyTorch's class of it, such as torch.FloatStorage. */
  readonly type: string;
  /** Names the file's entry. */
  readonly key: string;
}

/** A tensor that has not been read. */
export interface StoredTensor {
  readonly kind: "tensor";
  readonly numbers: StoredNumbers;
  /** Elements before its first. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** An object of a class whose state is read as a dictionary: PyTorch's ParameterDict. */
export interface StoredObject {
  readonly kind: "object";
  state: PickledValue;
}

/** The name of a class or function. */
export interface PickledName {
  readonly kind: "name";
  readonly name: string;
}

/** What a pickle can hold that is read: plain values, and what PyTorch makes of tensors. Tuples and sets are lists. */
export type PickledValue =
  | null
  | boolean
  | number
  | string
  | PickledValue[]
  | Map<PickledValue, PickledValue>
  | StoredNumbers
  | StoredTensor
  | StoredObject
  | PickledName;

/** Whether a value is one of PyTorch's things, of a kind. */
export function isKind<K extends "numbers" | "tensor" | "object" | "name">(
  value: PickledValue | undefined,
  kind: K,
): value is Extract<PickledValue, { readonly kind: K }> {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === kind;
}
