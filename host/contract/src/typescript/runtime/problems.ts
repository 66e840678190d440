// From answers that failed to the classes of failures.

// A failed request that carries a component's own failure; kept apart until its type is known.
class FailureDocument extends ProblemError {
  readonly document: unknown;

  constructor(problem: Problem, call: Target, document: unknown) {
    super({ ...problem, retryable: false }, call);
    this.document = document;
  }
}

function problemError(text: string, response: Response, call: Target): ProblemError {
  let document: unknown;
  try {
    document = parse(text);
  } catch {
    document = undefined;
  }
  const header = response.headers.get("Retry-After");
  const date = header === null ? NaN : Date.parse(header) - Date.now();
  const wait = header !== null && /^\d+$/.test(header.trim()) ? Number(header) * 1000 : date;
  const id = response.headers.get(REQUEST_ID_HEADER) ?? undefined;
  return problemOf(document, call, response.status, Number.isNaN(wait) ? undefined : Math.max(wait, 0), id);
}

function problemOf(document: unknown, call: Target, status: number, wait?: number, id?: string): ProblemError {
  const found = record(document) && typeof document["status"] === "number" ? document : {};
  const text = (key: string): string | undefined => {
    const value = found[key];
    return typeof value === "string" ? value : undefined;
  };
  const given: { [Key in keyof Problem]: Problem[Key] | undefined } = {
    type: text("type") ?? "about:blank",
    title: text("title") ?? "the request failed",
    status: typeof found["status"] === "number" ? found["status"] : status,
    detail: text("detail"),
    instance: text("instance") ?? id,
    sqlstate: text("sqlstate"),
    constraint: text("constraint"),
    table: text("table"),
    column: text("column"),
    blame: text("blame"),
    retryable: typeof found["retryable"] === "boolean" ? found["retryable"] : undefined,
  };
  const problem = given as Problem;
  if (problem.type === FAILURE_TYPE) return new FailureDocument(problem, call, found["failure"]);
  return new ProblemError(problem, call, wait);
}

// The failure with its own type, where the contract has one.
function typed(error: unknown, signature: Signature): unknown {
  if (!(error instanceof FailureDocument)) return error;
  const call = { slot: error.slot, name: error.function };
  if (signature.failure === undefined) return error;
  const failure = error.document === undefined ? null : error.document;
  return new Failure(read(signature.failure, failure, call), call, error.requestId);
}

function read(shape: Shape, value: unknown, call: Target): unknown {
  try {
    return decode(shape, value);
  } catch (cause) {
    throw new NetworkError(said(cause), call, false, cause);
  }
}

function document(text: string, call: Target): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw new NetworkError("the answer is not JSON", call, false, cause);
  }
}

function said(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
