// Requests: their words, their limit of time, and their repetition.

const CALLS_PATH = "/v1";
const BATCH_PATH = "/v1/batch";
const JSON_TYPE = "application/json";
const NDJSON = "application/x-ndjson";
const STREAM_PROBLEM = "$problem";
const FAILURE_TYPE = "urn:avenire:failure";
const KEY_HEADER = "Avenire-Key";
const FRESH_HEADER = "Avenire-Fresh";
const REQUEST_ID_HEADER = "X-Request-Id";

// Statuses of hosts and of what stands before them that say: try again.
const TRANSIENT: readonly number[] = [408, 429, 502, 503, 504];

// Ends a call when its time is over or its caller wants so.
class Deadline {
  timedOut = false;
  private readonly controller = new AbortController();
  private readonly outer: AbortSignal | undefined;
  private readonly limit: number;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private until = Infinity;
  private readonly abort = (): void => this.controller.abort(this.outer?.reason);

  constructor(limit: number, outer: AbortSignal | undefined) {
    this.limit = limit;
    this.outer = outer;
    if (outer?.aborted === true) throw outer.reason;
    outer?.addEventListener("abort", this.abort, { once: true });
    this.restart();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  get remaining(): number {
    return this.until - Date.now();
  }

  restart(): void {
    this.pause();
    // Timers of the platforms can not wait for longer than this.
    if (!(this.limit > 0 && this.limit < 2 ** 31)) return;
    this.until = Date.now() + this.limit;
    this.timer = setTimeout(() => {
      this.timedOut = true;
      this.controller.abort();
    }, this.limit);
  }

  pause(): void {
    if (this.timer !== undefined) clearTimeout(this.timer);
    this.timer = undefined;
    this.until = Infinity;
  }

  // Ends what still runs.
  close(): void {
    this.pause();
    this.outer?.removeEventListener("abort", this.abort);
    this.controller.abort();
  }

  // What became of a request that threw. Throws the caller's reason when the caller ended it.
  blame(cause: unknown, call: Target): NetworkError {
    if (this.outer?.aborted === true) throw this.outer.reason;
    if (this.timedOut) return new NetworkError(`no answer within ${this.limit} ms`, call, true, cause);
    const said = cause instanceof Error ? `: ${cause.message}` : "";
    return new NetworkError(`no answer${said}`, call, false, cause);
  }

  async sleep(ms: number, call: Target): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let wake = (): void => undefined;
    await new Promise<void>((resolve) => {
      wake = resolve;
      timer = setTimeout(resolve, ms);
      this.signal.addEventListener("abort", wake, { once: true });
      if (this.signal.aborted) resolve();
    });
    clearTimeout(timer);
    this.signal.removeEventListener("abort", wake);
    if (this.signal.aborted) throw this.blame(undefined, call);
  }
}

class Connection {
  private readonly options: ClientOptions;
  private readonly base: string;

  constructor(options: ClientOptions) {
    this.options = options;
    this.base = options.baseUrl.replace(/\/+$/, "");
  }

  deadline(options: CallOptions): Deadline {
    return new Deadline(options.timeoutMs ?? this.options.timeoutMs ?? 30_000, options.signal);
  }

  // Sends a call until an answer is had; `take` reads what is wanted of a good one.
  async send<T>(
    call: Call,
    options: CallOptions,
    deadline: Deadline,
    accept: string,
    take: (response: Response) => Promise<T>,
  ): Promise<T> {
    const retries = options.retries ?? this.options.retries ?? {};
    const { times = 2, baseMs = 100, capMs = 5000 } = typeof retries === "number" ? { times: retries } : retries;
    for (let turn = 0; ; turn++) {
      const headers = await this.headers(options, accept);
      let error: NetworkError | ProblemError;
      try {
        const init = { method: "POST", headers, body: call.body, signal: deadline.signal };
        const response = await (this.options.fetch ?? globalThis.fetch)(this.base + call.path, init);
        if (response.ok) return await take(response);
        error = problemError(await response.text(), response, call);
      } catch (cause) {
        error = deadline.blame(cause, call);
      }
      const wait = Math.max(Math.random() * Math.min(capMs, baseMs * 2 ** turn), retryAfter(error));
      const isOver = deadline.timedOut || wait >= deadline.remaining;
      if (!call.repeatable || turn >= times || isOver || !isTransient(error)) throw error;
      await deadline.sleep(wait, call);
    }
  }

  private async headers(options: CallOptions, accept: string): Promise<Record<string, string>> {
    const { token } = this.options;
    const bearer = typeof token === "function" ? await token() : token;
    return {
      ...this.options.headers,
      "Content-Type": JSON_TYPE,
      Accept: accept,
      ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
      ...(options.key === undefined ? {} : { [KEY_HEADER]: options.key }),
      ...(options.fresh === true ? { [FRESH_HEADER]: "true" } : {}),
      ...options.headers,
    };
  }
}

function isTransient(error: NetworkError | ProblemError): boolean {
  if (error instanceof NetworkError) return true;
  return error.retryable ?? TRANSIENT.includes(error.status);
}

function retryAfter(error: NetworkError | ProblemError): number {
  return error instanceof ProblemError ? (error.retryAfterMs ?? 0) : 0;
}
