// What every client has, whatever its slots: values, failures, calls, streams and batches.
//
// Runs wherever `fetch` does: Node 20, Deno, Bun, edge runtimes, browsers. Uses nothing else of
// them than the web's own interfaces.

/**
 * A point in time: an RFC 3339 text in UTC with up to six digits of a second, such as
 * `2026-01-31T12:00:00.000001Z`, or `infinity` or `-infinity`. A text and no `Date`, which would
 * lose the microseconds: a text that a call gave is the same point in time for the next one.
 */
export type Timestamp = string;

/** Any JSON document, as a result. Its numbers are those of `JSON.parse`. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Any JSON document, as an argument: whatever `JSON.stringify` can write. */
export type JsonInput = Json | object;

/** The `Date` of a timestamp; what is finer than a millisecond is cut off. */
export function toDate(timestamp: Timestamp): Date {
  const date = new Date(Number(toMicros(timestamp) / BigInt(1000)));
  if (Number.isNaN(date.getTime())) throw new RangeError(`no Date can be ${timestamp}`);
  return date;
}

/** The timestamp of a `Date`. */
export function fromDate(date: Date): Timestamp {
  return date.toISOString();
}

/** Microseconds since 1970-01-01T00:00:00Z, exactly. Fails for the two infinities. */
export function toMicros(timestamp: Timestamp): bigint {
  const parts = /^([^.]+?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/i.exec(timestamp);
  const whole = parts === null ? NaN : Date.parse(`${parts[1] ?? ""}${parts[3] ?? ""}`);
  if (parts === null || Number.isNaN(whole)) {
    throw new RangeError(`${timestamp} is no timestamp with a date`);
  }
  const micros = (parts[2] ?? "").padEnd(6, "0").slice(0, 6);
  return BigInt(whole) * BigInt(1000) + BigInt(micros);
}
