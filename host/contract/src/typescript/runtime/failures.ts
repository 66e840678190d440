// Failures, in one hierarchy of classes.

/** What every failed call throws. */
export class AvenireError extends Error {
  /** The slot that was called; empty for a batch. */
  readonly slot: string;
  /** The function that was called, as its contract names it. */
  readonly function: string;
  /** The id of the request, to be found in the host's log. */
  readonly requestId: string | undefined;

  constructor(message: string, call: Target, requestId?: string) {
    super(message);
    this.name = "AvenireError";
    this.slot = call.slot;
    this.function = call.name;
    this.requestId = requestId;
  }
}

/** The function failed in one of the ways that its contract names. */
export class Failure<E = unknown> extends AvenireError {
  /** How it failed. */
  readonly failure: E;

  constructor(failure: E, call: Target, requestId?: string) {
    const tag = (failure as { tag?: unknown } | null)?.tag ?? failure;
    const what = typeof tag === "string" ? `: ${tag}` : "";
    super(`${label(call)} failed${what}`, call, requestId);
    this.name = "Failure";
    this.failure = failure;
  }
}

/** What a problem document says (RFC 9457). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly instance?: string;
  readonly sqlstate?: string;
  readonly constraint?: string;
  readonly table?: string;
  readonly column?: string;
  readonly blame?: string;
  readonly retryable?: boolean;
}

/** The host, the component or the database could not carry out the call. */
export class ProblemError extends AvenireError {
  /** The HTTP status. */
  readonly status: number;
  /** Which kind of problem; stable. `about:blank` when it was no avenire-db that answered. */
  readonly type: string;
  /** The kind, in words. */
  readonly title: string;
  /** What happened, for people. */
  readonly detail: string | undefined;
  /** What Postgres said: five characters, `23505` is a unique violation. */
  readonly sqlstate: string | undefined;
  /** The constraint that was violated. */
  readonly constraint: string | undefined;
  /** The table concerned. */
  readonly table: string | undefined;
  /** The column concerned. */
  readonly column: string | undefined;
  /** Whose fault it is: `caller`, `component`, `host` or `database`. */
  readonly blame: string | undefined;
  /** Whether the same call may succeed later, with no harm done by making it again. */
  readonly retryable: boolean | undefined;
  /** How many milliseconds to wait before that, if the host said so. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: Problem, call: Target, retryAfterMs?: number) {
    const { status, type, title, detail } = problem;
    super(`${label(call)}: ${status} ${detail ?? title}`, call, problem.instance);
    this.name = "ProblemError";
    this.status = status;
    this.type = type;
    this.title = title;
    this.detail = detail;
    this.sqlstate = problem.sqlstate;
    this.constraint = problem.constraint;
    this.table = problem.table;
    this.column = problem.column;
    this.blame = problem.blame;
    this.retryable = problem.retryable;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * No answer came, or none that can be understood: whether the call was carried out is unknown.
 * What `fetch` said is its `cause`.
 */
export class NetworkError extends AvenireError {
  /** Whether it was the call's own limit of time. */
  readonly timedOut: boolean;

  constructor(message: string, call: Target, timedOut = false, cause?: unknown) {
    super(`${label(call)}: ${message}`, call);
    this.name = "NetworkError";
    this.timedOut = timedOut;
    Object.defineProperty(this, "cause", { value: cause, configurable: true, writable: true });
  }
}
