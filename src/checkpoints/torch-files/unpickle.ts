import { isCallable, makeObject, numbersOf, stateOf } from "./torch-names.ts";
import { isKind, type PickledName, type PickledValue } from "./values.ts";

/** Of values on the stack and kept aside: an embedding has a few dozen, a model some thousands. */
const MOST_VALUES = 1_000_000;

const isList = (value: PickledValue | undefined): value is PickledValue[] => Array.isArray(value);

/**
 * Reads a pickle without running anything in it: opcodes build dictionaries, lists and tensors' places, and whatever else it names
 * ends the reading.
 *
 * Source: Python's Lib/pickle.py; protocols 2 to 5.
 *
 * @throws Error with the reason
 */
export function unpickle(bytes: Buffer): PickledValue {
  const stack: PickledValue[] = [];
  const marks: number[] = [];
  const memo = new Map<number, PickledValue>();
  let at = 0;

  const take = (length: number): Buffer => {
    if (length < 0 || at + length > bytes.length) throw new Error("the pickle is cut short");
    at += length;
    return bytes.subarray(at - length, at);
  };
  const u1 = () => take(1)[0];
  const u4 = () => take(4).readUInt32LE();
  const line = (): string => {
    const end = bytes.indexOf(10, at);
    if (end < 0) throw new Error("the pickle is cut short");
    const text = bytes.toString("utf8", at, end);
    at = end + 1;
    return text;
  };
  const pop = (): PickledValue => {
    const value = stack.length > (marks.at(-1) ?? 0) ? stack.pop() : undefined;
    if (value === undefined) throw new Error("the pickle is damaged");
    return value;
  };
  const popMark = (): PickledValue[] => {
    const mark = marks.pop();
    if (mark === undefined) throw new Error("the pickle is damaged");
    return stack.splice(mark);
  };
  const top = (): PickledValue => {
    const value = stack.at(-1);
    if (value === undefined) throw new Error("the pickle is damaged");
    return value;
  };
  const remember = (key: number) => {
    memo.set(key, top());
  };
  const recall = (key: number): PickledValue => {
    const value = memo.get(key);
    if (value === undefined) throw new Error("the pickle is damaged");
    return value;
  };
  const setItems = (pairs: readonly PickledValue[]) => {
    const target = top();
    if (!(target instanceof Map) || pairs.length % 2 !== 0) throw new Error("the pickle is damaged");
    for (let i = 0; i < pairs.length; i += 2) target.set(pairs[i], pairs[i + 1]);
  };
  const append = (items: readonly PickledValue[]) => {
    const target = top();
    if (!isList(target)) throw new Error("the pickle is damaged");
    for (const item of items) target.push(item);
  };
  const name = (module: string, member: string): PickledName => {
    const full = `${module}.${member}`;
    if (!isCallable(full))
      throw new Error(`it names ${full}, which would be run; only tensors and plain values are read`);
    return { kind: "name", name: full };
  };
  let copied = 0;
  const called = (): PickledValue => {
    const [args, what] = [pop(), pop()];
    if (!isKind(what, "name") || !isList(args)) throw new Error("the pickle is damaged");
    // a list that is recalled is copied by each call
    const [first] = args;
    copied += isList(first) ? first.length : first instanceof Map ? first.size : 0;
    if (copied > MOST_VALUES) throw new Error("the pickle has too many values");
    return makeObject(what.name, args);
  };
  /** A value that an opcode puts on the stack; undefined where it puts none. */
  const step = (opcode: string): PickledValue | undefined => {
    switch (opcode) {
      case "\x80": // protocol
        take(1);
        return undefined;
      case "\x95": // frame
        take(8);
        return undefined;
      case "N":
        return null;
      case "\x88":
        return true;
      case "\x89":
        return false;
      case "K":
        return u1();
      case "M":
        return take(2).readUInt16LE();
      case "J":
        return take(4).readInt32LE();
      case "G":
        return take(8).readDoubleBE();
      case "\x8a":
        return signed(take(u1()));
      case "X":
        return take(u4()).toString("utf8");
      case "\x8c":
        return take(u1()).toString("utf8");
      case "}":
        return new Map();
      case "]":
      case ")":
        return [];
      case "(":
        marks.push(stack.length);
        return undefined;
      case "t":
        return popMark();
      case "\x85":
        return [pop()];
      case "\x86":
        return [pop(), pop()].reverse();
      case "\x87":
        return [pop(), pop(), pop()].reverse();
      case "s":
        setItems([pop(), pop()].reverse());
        return undefined;
      case "u":
        setItems(popMark());
        return undefined;
      case "a":
        append([pop()]);
        return undefined;
      case "e":
        append(popMark());
        return undefined;
      case "q":
        remember(u1());
        return undefined;
      case "r":
        remember(u4());
        return undefined;
      case "\x94":
        remember(memo.size);
        return undefined;
      case "h":
        return recall(u1());
      case "j":
        return recall(u4());
      case "c":
        return name(line(), line());
      case "\x93": {
        const [member, module] = [pop(), pop()];
        if (typeof member !== "string" || typeof module !== "string") throw new Error("the pickle is damaged");
        return name(module, member);
      }
      case "R":
      case "\x81": // an object by its class
        return called();
      case "Q":
        return numbersOf(pop());
      case "b": {
        const state = pop();
        stateOf(top(), state);
        return undefined;
      }
      default:
        throw new Error(`it has an opcode that is not read (${JSON.stringify(opcode)})`);
    }
  };
  for (;;) {
    const opcode = String.fromCharCode(u1());
    if (opcode === ".") return pop();
    const value = step(opcode);
    if (value !== undefined) stack.push(value);
    if (stack.length + memo.size + marks.length > MOST_VALUES) throw new Error("the pickle has too many values");
  }
}

/** Little-endian, two's complement; exact up to 2^53, beyond that nobody needs it. */
function signed(bytes: Buffer): number {
  if (bytes.length === 0) return 0;
  const number = bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
  return (bytes[bytes.length - 1] & 0x80) === 0 ? number : number - 256 ** bytes.length;
}
