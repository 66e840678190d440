// Writes values of the contract's types as JSON.

function encode(shape: Shape, value: unknown, at: string): string {
  if (typeof shape === "string") return scalar(shape, value, at);
  if ("option" in shape) return value == null ? "null" : encode(shape.option, value, at);
  if ("list" in shape) {
    if (!Array.isArray(value)) throw mismatch(at, "an array");
    return `[${value.map((item, index) => encode(shape.list, item, `${at}[${index}]`)).join(",")}]`;
  }
  if ("tuple" in shape) {
    if (!Array.isArray(value) || value.length !== shape.tuple.length) {
      throw mismatch(at, `an array of ${shape.tuple.length}`);
    }
    return `[${shape.tuple.map((one, index) => encode(one, value[index], `${at}[${index}]`)).join(",")}]`;
  }
  if ("record" in shape) return fields(shape.record, value, at);
  const tag = record(value) ? value["tag"] : undefined;
  if (!record(value) || typeof tag !== "string" || !own(shape.variant, tag)) {
    throw mismatch(at, `an object whose tag is one of ${Object.keys(shape.variant).join(", ")}`);
  }
  const inner = shape.variant[tag];
  if (inner === null || inner === undefined) return `{"tag":${JSON.stringify(tag)}}`;
  return `{"tag":${JSON.stringify(tag)},"val":${encode(inner, value["val"], `${at}.val`)}}`;
}

function fields(shape: Fields, value: unknown, at: string): string {
  if (!record(value)) throw mismatch(at, "an object");
  const members: string[] = [];
  for (const [key, inner] of Object.entries(shape)) {
    const field = own(value, key) ? value[key] : undefined;
    if (field === undefined && typeof inner === "object" && "option" in inner) continue;
    members.push(`${JSON.stringify(key)}:${encode(inner, field, `${at}.${key}`)}`);
  }
  return `{${members.join(",")}}`;
}

function scalar(shape: Scalar, value: unknown, at: string): string {
  switch (shape) {
    case "long":
      if (typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value))) {
        return value.toString();
      }
      throw mismatch(at, "a bigint");
    case "int":
      if (typeof value === "number" && Number.isInteger(value)) return JSON.stringify(value);
      throw mismatch(at, "a whole number");
    case "float":
      if (typeof value !== "number") throw mismatch(at, "a number");
      if (Object.is(value, -0)) return "-0.0";
      return Number.isFinite(value) ? JSON.stringify(value) : `"${value}"`;
    case "bool":
      if (typeof value === "boolean") return value ? "true" : "false";
      throw mismatch(at, "a boolean");
    case "text":
      if (typeof value === "string") return JSON.stringify(value);
      throw mismatch(at, "a string");
    case "flags":
      if (Array.isArray(value)) return JSON.stringify(value);
      throw mismatch(at, "an array of names");
    case "bytes":
      if (value instanceof Uint8Array) return `"${toBase64(value)}"`;
      throw mismatch(at, "a Uint8Array");
    case "json": {
      const text: string | undefined = JSON.stringify(value);
      if (text !== undefined) return text;
      throw mismatch(at, "a JSON document");
    }
    case "void":
      return "null";
  }
}

function mismatch(at: string, expected: string): TypeError {
  return new TypeError(`${at}: expected ${expected}`);
}

function toBase64(bytes: Uint8Array): string {
  let letters = "";
  // In pieces: a call can not have a million arguments.
  for (let at = 0; at < bytes.length; at += 0x2000) {
    letters += String.fromCharCode(...bytes.subarray(at, at + 0x2000));
  }
  return btoa(letters);
}

function fromBase64(text: string): Uint8Array {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
  return bytes;
}
