// Reads JSON as values of the contract's types, with every digit of 64-bit integers.

// A document, in which whole numbers that no `number` can hold exactly are bigints. Without
// sixteen digits in a row there is none, and the platform's own reader is the fastest.
function parse(text: string): unknown {
  return /\d{16}/.test(text) ? new Reader(text).document() : JSON.parse(text);
}

class Reader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): unknown {
    const value = this.value();
    this.blank();
    if (this.at < this.text.length) throw this.wrong();
    return value;
  }

  private value(): unknown {
    this.blank();
    switch (this.text[this.at]) {
      case "{": return this.object();
      case "[": return this.array();
      case '"': return this.string();
      case "t": return this.word("true", true);
      case "f": return this.word("false", false);
      case "n": return this.word("null", null);
      default: return this.number();
    }
  }

  private object(): unknown {
    const object: Record<string, unknown> = {};
    this.at++;
    if (this.next("}")) return object;
    do {
      this.blank();
      if (this.text[this.at] !== '"') throw this.wrong();
      const key = this.string();
      if (!this.next(":")) throw this.wrong();
      const value = this.value();
      if (key === "__proto__") {
        Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
      } else {
        object[key] = value;
      }
    } while (this.next(","));
    if (!this.next("}")) throw this.wrong();
    return object;
  }

  private array(): unknown {
    const array: unknown[] = [];
    this.at++;
    if (this.next("]")) return array;
    do {
      array.push(this.value());
    } while (this.next(","));
    if (!this.next("]")) throw this.wrong();
    return array;
  }

  private string(): string {
    let end = this.at;
    let slashes: number;
    do {
      end = this.text.indexOf('"', end + 1);
      if (end < 0) throw this.wrong();
      for (slashes = 0; this.text[end - 1 - slashes] === "\\"; slashes++);
    } while (slashes % 2 === 1);
    const quoted = this.text.slice(this.at, end + 1);
    this.at = end + 1;
    return JSON.parse(quoted) as string;
  }

  private number(): number | bigint {
    const pattern = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) throw this.wrong();
    this.at = pattern.lastIndex;
    const value = Number(found[0]);
    const isWhole = found[1] === undefined && found[2] === undefined;
    return isWhole && !Number.isSafeInteger(value) ? BigInt(found[0]) : value;
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) throw this.wrong();
    this.at += word.length;
    return value;
  }

  private next(sign: string): boolean {
    this.blank();
    if (this.text[this.at] !== sign) return false;
    this.at++;
    return true;
  }

  private blank(): void {
    while (" \t\n\r".includes(this.text[this.at] ?? "x")) this.at++;
  }

  private wrong(): SyntaxError {
    return new SyntaxError(`the answer is not JSON at character ${this.at}`);
  }
}

// What `parse` gave as values of their types, in place.
function decode(shape: Shape, value: unknown): unknown {
  if (typeof shape === "string") return revive(shape, value);
  if ("option" in shape) return value === null ? null : decode(shape.option, value);
  if ("list" in shape || "tuple" in shape) {
    if (!Array.isArray(value)) throw unexpected();
    for (let at = 0; at < value.length; at++) {
      const inner = "list" in shape ? shape.list : shape.tuple[at];
      if (inner !== undefined) value[at] = decode(inner, value[at]);
    }
    return value;
  }
  if (!record(value)) throw unexpected();
  if ("record" in shape) {
    for (const key in shape.record) {
      const inner = shape.record[key];
      if (inner !== undefined && own(value, key)) value[key] = decode(inner, value[key]);
    }
    return value;
  }
  const tag = value["tag"];
  const inner = typeof tag === "string" && own(shape.variant, tag) ? shape.variant[tag] : null;
  if (inner !== null && inner !== undefined) value["val"] = decode(inner, value["val"]);
  return value;
}

function revive(shape: Scalar, value: unknown): unknown {
  switch (shape) {
    case "long":
      if (typeof value === "bigint") return value;
      if (typeof value === "number" || typeof value === "string") return BigInt(value);
      throw unexpected();
    case "float":
      if (typeof value === "number" || typeof value === "bigint" || typeof value === "string") {
        return Number(value);
      }
      throw unexpected();
    case "bytes":
      if (typeof value === "string") return fromBase64(value);
      throw unexpected();
    case "json":
      return rounded(value);
    case "void":
      return undefined;
    default:
      return value;
  }
}

// A document with the numbers that `JSON.parse` would have given.
function rounded(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null) return value;
  for (const key of Object.keys(value)) {
    const inner: unknown = (value as Record<string, unknown>)[key];
    if (typeof inner === "bigint" || typeof inner === "object") {
      Object.defineProperty(value, key, { value: rounded(inner), enumerable: true, configurable: true, writable: true });
    }
  }
  return value;
}

function unexpected(): SyntaxError {
  return new SyntaxError("the answer has another form than the contract says");
}
