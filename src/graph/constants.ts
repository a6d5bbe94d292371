import type { OnnxTensor } from "./onnx.ts";
import type { OnnxConstant } from "./op.ts";

/** The constants of one model; small equal ones are stored once. */
export class Constants {
  readonly list: { name: string; tensor: OnnxTensor }[] = [];
  readonly #known = new Map<string, string>();

  add(constant: OnnxConstant): string {
    const key = contentKey(constant);
    const known = key === undefined ? undefined : this.#known.get(key);
    if (known !== undefined) return known;
    const name = `c${this.list.length}`;
    if (key !== undefined) this.#known.set(key, name);
    const tensor =
      constant.dtype === "int64"
        ? {
            dtype: "int64" as const,
            shape: [constant.values.length],
            data: BigInt64Array.from(constant.values, BigInt),
          }
        : constant;
    this.list.push({ name, tensor });
    return name;
  }
}

/** What makes two constants equal; undefined for large ones, which are not compared. */
function contentKey(constant: OnnxConstant): string | undefined {
  if (constant.dtype === "int64") return `int64:${constant.values.join()}`;
  const typeText = `${constant.dtype}[${constant.shape.join()}]`;
  if (constant.data.length <= 16) return `${typeText}:${constant.data.join()}`;
  const [first] = constant.data;
  if (constant.data.every((x) => x === first)) return `${typeText}:all ${first}`;
  return undefined;
}
