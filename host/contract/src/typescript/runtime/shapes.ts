// The types of values as data, and small words that the other parts share.

// How values stand in JSON. `long` is a 64-bit integer, `bool`, `int`, `text` and `flags` are as
// JSON has them, and nothing (`void`) is `null`.
type Scalar = "bool" | "int" | "long" | "float" | "text" | "flags" | "json" | "bytes" | "void";

type Shape =
  | Scalar
  | { readonly list: Shape }
  | { readonly tuple: readonly Shape[] }
  | { readonly option: Shape }
  | { readonly record: Fields }
  | { readonly variant: { readonly [tag: string]: Shape | null } };

type Fields = { readonly [key: string]: Shape };

interface Target {
  readonly slot: string;
  readonly name: string;
}

interface Signature {
  readonly name: string;
  readonly args: Fields;
  readonly value: Shape;
  readonly failure?: Shape;
  readonly element?: Shape;
  readonly repeatable: boolean;
}

interface Slots {
  readonly [key: string]: { readonly name: string; readonly functions: { readonly [key: string]: Signature } };
}

interface Call extends Target {
  readonly path: string;
  readonly body: string;
  readonly repeatable: boolean;
}

interface Prepared extends PreparedCall<unknown, unknown> {
  readonly signature: Signature;
  readonly args: string;
}

function label(call: Target): string {
  return call.slot === "" ? call.name : `${call.slot}.${call.name}`;
}

function own(object: object, key: string): boolean {
  return Object.prototype.hasOwnProperty.call(object, key);
}

function record(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
