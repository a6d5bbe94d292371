import { ModelError } from "../../system/errors.ts";
import { allFinite } from "../../tensor/finite.ts";
import type { SafetensorsFile } from "../../tensor/safetensors.ts";
import { sizeOf, zeros, type Float32Tensor, type Shape } from "../../tensor/tensor.ts";
import type { Piece } from "./keys.ts";
import type { Layer } from "./layers.ts";
import type { Delta, LowRank, Magnitude } from "./updates.ts";

/** The keys of a layer, by piece. */
export type Pieces = Readonly<Partial<Record<Piece, string>>>;

/** A layer of a file that is to be read. */
export interface LayerFile {
  readonly file: SafetensorsFile;
  readonly layer: Layer;
  readonly pieces: Pieces;
}

/** A layer's change, and the rank that its alpha is divided by; undefined where nothing is decomposed. */
export interface ReadDelta {
  readonly delta: Delta;
  readonly rank: number | undefined;
}

/** @throws ModelError where a matrix is missing, or of a shape that does not fit the layer or its partner, or holds no numbers */
export async function readDelta(source: LayerFile): Promise<ReadDelta> {
  const { pieces } = source;
  const kinds = (["lora", "hada", "lokr"] as const).filter((kind) =>
    (Object.keys(pieces) as Piece[]).some((piece) => kindOf(piece) === kind),
  );
  const [kind = "lora"] = kinds;
  if (kinds.length > 1)
    throw failure(source, `${Object.values(pieces).slice(0, 2).join(" and ")} are of the same layer`);
  if (kind === "hada") return readHadamard(source);
  return kind === "lokr" ? readKronecker(source) : readProduct(source);
}

/** The magnitude of DoRA, where a layer has one. @throws ModelError unless it has a length for each row or each input channel */
export async function readMagnitude(source: LayerFile): Promise<Magnitude | undefined> {
  const { file, layer, pieces } = source;
  const name = pieces.dora_scale ?? pieces.lora_magnitude_vector;
  if (name === undefined) return undefined;
  if (pieces.dora_scale !== undefined && pieces.lora_magnitude_vector !== undefined)
    throw failure(source, `${name} and ${pieces.lora_magnitude_vector} are of the same layer`);
  const shape = shapeOf(source, name);
  const [out, features] = layer.shape;
  const sizes = shape.filter((size) => size !== 1);
  // PEFT's is of rows always; LyCORIS' says by its shape, [out, 1, ...] or [1, in, ...], what it is of
  const ofColumns = pieces.dora_scale !== undefined && shape.length > 1 && shape[0] === 1 && shape[1] === features;
  const axis = ofColumns && !(out === 1 && features === 1) ? "in" : "out";
  const expected = axis === "in" ? features : out;
  if (sizeOf(shape) !== expected || sizes.length > 1)
    throw failure(
      source,
      `${name} has shape [${shape.join(", ")}], expected a length for each of ${out} rows, [${out}, 1], or for each of ${features} columns, [1, ${features}]`,
    );
  const { data } = await readNumbers(file, name);
  return { axis, lengths: data };
}

function kindOf(piece: Piece): "lora" | "hada" | "lokr" | undefined {
  if (piece.startsWith("hada_")) return "hada";
  if (piece.startsWith("lokr_")) return "lokr";
  return piece === "up" || piece === "down" || piece === "mid" ? "lora" : undefined;
}

/** LoRA; a convolution may be in three factors (Tucker): down [r, in], mid [r, r, k, k], up [out, r]. */
async function readProduct(source: LayerFile): Promise<ReadDelta> {
  const { pieces, layer } = source;
  const [downName, upName] = [pieces.down, pieces.up];
  if (downName === undefined || upName === undefined) {
    const there = Object.values(pieces)[0] ?? layer.name;
    throw failure(
      source,
      `${there} is there, but the layer's ${downName === undefined ? "down (A)" : "up (B)"} matrix is missing`,
    );
  }
  const pair = await readLowRank(source, { up: upName, down: downName, mid: pieces.mid }, { square: false });
  return { delta: { kind: "product", ...pair }, rank: pair.up.shape[1] };
}

async function readHadamard(source: LayerFile): Promise<ReadDelta> {
  const half = (n: "1" | "2") =>
    readLowRank(
      source,
      {
        up: need(source, `hada_w${n}_a`),
        down: need(source, `hada_w${n}_b`),
        mid: source.pieces[`hada_t${n}`],
      },
      { square: true },
    );
  if ((source.pieces.hada_t1 === undefined) !== (source.pieces.hada_t2 === undefined)) {
    need(source, "hada_t1");
    need(source, "hada_t2");
  }
  const [first, second] = [await half("1"), await half("2")];
  return { delta: { kind: "hadamard", first, second }, rank: first.up.shape[1] };
}

async function readKronecker(source: LayerFile): Promise<ReadDelta> {
  const { pieces, layer } = source;
  const [out, features, ...kernel] = layer.shape;
  const left = await readFactor(source, "lokr_w1", { a: "lokr_w1_a", b: "lokr_w1_b" });
  const right = await readFactor(source, "lokr_w2", { a: "lokr_w2_a", b: "lokr_w2_b", t: "lokr_t2" });
  const [a, c] = outerShape(left);
  const [b, d] = outerShape(right);
  const inner = features * sizeOf(kernel);
  if (a * b !== out || c * d !== inner)
    throw failure(
      source,
      `${Object.values(pieces)[0]} and its partners update a weight of [${a * b}, ${c * d}], but the model's ${layer.name} has [${out}, ${inner}]; is the LoRA of another model?`,
    );
  const rank = "up" in right ? right.up.shape[1] : "up" in left ? left.up.shape[1] : undefined;
  return { delta: { kind: "kronecker", left, right }, rank };
}

/** One side of a Kronecker product, whole or decomposed. */
async function readFactor(
  source: LayerFile,
  whole: "lokr_w1" | "lokr_w2",
  { a, b, t }: { readonly a: Piece; readonly b: Piece; readonly t?: Piece },
): Promise<Float32Tensor | LowRank> {
  const { file, pieces } = source;
  const name = pieces[whole];
  if (name !== undefined) {
    if (pieces[a] !== undefined || pieces[b] !== undefined)
      throw failure(source, `${name} and ${pieces[a] ?? pieces[b]} are of the same layer`);
    const [rows = 0, ...rest] = shapeOf(source, name);
    return { ...(await readNumbers(file, name)), shape: [rows, sizeOf(rest)] };
  }
  const mid = t && pieces[t];
  return readLowRank(source, { up: need(source, a), down: need(source, b), mid }, { square: true, free: true });
}

interface Names {
  readonly up: string;
  readonly down: string;
  readonly mid?: string | undefined;
}

interface Fitting {
  /** Whether, in three factors, `up` lies as [r, out] and not as [out, r]: so it does for LoHa and LoKr. */
  readonly square: boolean;
  /** Whether the pair is of another size than the layer. */
  readonly free?: boolean;
}

/** Two matrices of one rank, or the three of a Tucker decomposition, whose middle is multiplied into the second. */
async function readLowRank(source: LayerFile, names: Names, { square, free }: Fitting): Promise<LowRank> {
  const { file, layer } = source;
  const [upShape, downShape] = [matrix(shapeOf(source, names.up)), matrix(shapeOf(source, names.down))];
  const isTurned = names.mid !== undefined && square;
  const [out = 0, upRank = 0] = isTurned ? upShape.toReversed() : upShape;
  const [rank = 0, ...inner] = downShape;
  if (rank === 0) throw failure(source, `${names.down} has rank 0: shape [${downShape.join(", ")}]`);
  if (upShape.length !== 2 || upRank !== rank)
    throw failure(
      source,
      `${names.down} [${downShape.join(", ")}] and ${names.up} [${upShape.join(", ")}] differ in rank`,
    );
  const [, features, ...kernel] = layer.shape;
  const whole = names.mid === undefined ? sizeOf(inner) : sizeOf(inner) * sizeOf(kernel);
  if (free !== true && (out !== layer.shape[0] || whole !== features * sizeOf(kernel) || !fits(inner, layer.shape)))
    throw failure(
      source,
      `${names.down} and ${names.up} update a weight of [${[out, ...inner].join(", ")}], but the model's ${layer.name} has [${matrix(layer.shape).join(", ")}]; is the LoRA of another model?`,
    );
  if (names.mid !== undefined) checkMiddle(source, names.mid, rank, inner);
  const down = { ...(await readNumbers(file, names.down)), shape: [rank, sizeOf(inner)] };
  const read = { ...(await readNumbers(file, names.up)), shape: isTurned ? [rank, out] : [out, rank] };
  const up = isTurned ? transposed(read) : read;
  if (names.mid === undefined) return { up, down };
  return { up, down: multiplyMiddle(await readNumbers(file, names.mid), down) };
}

/** Whether what a pair reads is a layer's inputs, as they are or joined with the kernel. */
function fits(inner: Shape, layer: Shape): boolean {
  if (inner.length === 1) return true;
  const [, ...expected] = layer;
  return inner.length === expected.length && inner.every((size, i) => size === expected[i]);
}

/** More is no decomposition, and takes minutes to multiply. */
const MOST_MIDDLE_RANK = 1024;

function checkMiddle(source: LayerFile, name: string, rank: number, inner: Shape): void {
  const [, , ...kernel] = source.layer.shape;
  const shape = shapeOf(source, name);
  const expected = [rank, rank, ...kernel];
  if (inner.length !== 1 || shape.length !== expected.length || shape.some((size, i) => size !== expected[i]))
    throw failure(source, `${name} has shape [${shape.join(", ")}], expected [${expected.join(", ")}]`);
  if (rank > MOST_MIDDLE_RANK)
    throw failure(
      source,
      `${name} has rank ${rank}, expected at most ${MOST_MIDDLE_RANK} for a convolution in three factors`,
    );
}

/** Σⱼ mid[i, j, k] · down[j, c] as a matrix [i, c · k]. */
function multiplyMiddle(mid: Float32Tensor, down: Float32Tensor): Float32Tensor {
  const [rank, features] = down.shape;
  const kernel = mid.data.length / (rank * rank);
  const out = zeros([rank, features * kernel]);
  for (let i = 0; i < rank; i++)
    for (let c = 0; c < features; c++)
      for (let k = 0; k < kernel; k++) {
        let sum = 0;
        for (let j = 0; j < rank; j++) sum += mid.data[(i * rank + j) * kernel + k] * down.data[j * features + c];
        out.data[(i * features + c) * kernel + k] = sum;
      }
  return out;
}

function transposed({ data, shape: [rows, columns] }: Float32Tensor): Float32Tensor {
  const out = zeros([columns, rows]);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) out.data[column * rows + row] = data[row * columns + column];
  return out;
}

function outerShape(factor: Float32Tensor | LowRank): readonly [number, number] {
  return "up" in factor ? [factor.up.shape[0], factor.down.shape[1]] : [factor.shape[0], factor.shape[1]];
}

function need(source: LayerFile, piece: Piece): string {
  const name = source.pieces[piece];
  if (name === undefined)
    throw failure(source, `${Object.values(source.pieces)[0]} is there, but the layer's ${piece} is missing`);
  return name;
}

function shapeOf({ file }: LayerFile, name: string): Shape {
  return file.tensors.get(name)?.shape ?? [];
}

async function readNumbers(file: SafetensorsFile, name: string): Promise<Float32Tensor> {
  const tensor = await file.read(name);
  if (tensor.dtype !== "float32") throw new ModelError(`${file.path}: ${name} holds integers, expected numbers`);
  if (!allFinite(tensor.data)) throw new ModelError(`${file.path}: ${name} holds NaN or infinity: the file is damaged`);
  return tensor;
}

function failure({ file }: LayerFile, problem: string): ModelError {
  return new ModelError(`${file.path}: ${problem}`);
}

/** A shape without the two ones of a 1x1 kernel. */
function matrix(shape: Shape): Shape {
  return shape.length === 4 && shape[2] === 1 && shape[3] === 1 ? shape.slice(0, 2) : shape;
}
