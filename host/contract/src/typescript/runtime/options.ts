// What a caller can say, and the types of functions and batches.

/** What `try` gives instead of throwing. */
export type Outcome<Value, E> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: Failure<E> | ProblemError | NetworkError };

/** How calls are made again that are safe to repeat and met a failure that may pass. */
export interface RetryOptions {
  /** How often after the first time; 2 unless said otherwise, 0 for never. */
  readonly times?: number;
  /** Most milliseconds before the first repetition, doubled for each further one; 100. */
  readonly baseMs?: number;
  /** Most milliseconds before any of them; 5000. `Retry-After` may ask for more. */
  readonly capMs?: number;
}

/** The part of `fetch` that is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** How to reach the host. */
export interface ClientOptions {
  /** Where it serves, such as `https://db.example.com`. */
  readonly baseUrl: string;
  /** The bearer token, or what gives one; asked before each request. */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /** Another `fetch`. */
  readonly fetch?: Fetch | undefined;
  /** Headers of each request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** How often, or how, calls are made again that are safe to repeat. */
  readonly retries?: number | RetryOptions | undefined;
  /**
   * How long a call may take with its repetitions, in milliseconds; 30000 unless said
   * otherwise, 0 for no limit. For streams, how long to wait for the next piece.
   */
  readonly timeoutMs?: number | undefined;
}

/** What one call may say. */
export interface CallOptions {
  /** Ends the call; it then fails with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** What the call is about, such as a tenant: calls of one key reach one generation. */
  readonly key?: string | undefined;
  /** Whether to read what was written before: no replica, no cache. */
  readonly fresh?: boolean | undefined;
  /** Headers beside the client's own. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** As for the client. */
  readonly retries?: number | RetryOptions | undefined;
  /** As for the client. */
  readonly timeoutMs?: number | undefined;
}

type Rest<Arguments> = {} extends Arguments
  ? [args?: Arguments, options?: CallOptions]
  : [args: Arguments, options?: CallOptions];

declare const results: unique symbol;

/** A call as data, for a batch. */
export interface PreparedCall<Value, E> {
  readonly slot: string;
  readonly function: string;
  readonly [results]?: Outcome<Value, E>;
}

/** A query function. Called as it is, it throws when it fails. */
export interface QueryFunction<Arguments, Value, E> {
  (...rest: Rest<Arguments>): Promise<Value>;
  /** Gives the failure instead of throwing it. Throws when its signal ends it. */
  try(...rest: Rest<Arguments>): Promise<Outcome<Value, E>>;
  /** Whether an error is this function's own failure, with the type of that. */
  failed(error: unknown): error is Failure<E>;
  /** The call as data, for `$batch`. */
  prepare(...args: {} extends Arguments ? [args?: Arguments] : [args: Arguments]): PreparedCall<Value, E>;
}

/** A query function whose list can be read as it comes. */
export interface StreamFunction<Arguments, Value, E, Element> extends QueryFunction<Arguments, Value, E> {
  /**
   * The list's elements as they arrive. A failure, also one midway, is thrown where the next
   * element would be. Leaving the loop ends the call.
   */
  stream(...rest: Rest<Arguments>): AsyncGenerator<Element, void, undefined>;
}

/** Several calls in one request. */
export interface Batch {
  /**
   * What each call gave, in their order; one that fails touches no other. Throws when the whole
   * request fails.
   */
  <const Calls extends readonly PreparedCall<unknown, unknown>[]>(
    calls: Calls,
    options?: CallOptions,
  ): Promise<{ -readonly [Place in keyof Calls]: Calls[Place] extends PreparedCall<infer Value, infer E> ? Outcome<Value, E> : never }>;
}
