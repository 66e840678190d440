// Calls, streams, batches, and the object that has them all.

function callOf(slot: string, signature: Signature, args: unknown): Call {
  const body = fields(signature.args, args ?? {}, "arguments");
  const { name, repeatable } = signature;
  return { slot, name, path: `${CALLS_PATH}/${slot}/${name}`, body, repeatable };
}

async function invoke(
  connection: Connection,
  call: Call,
  signature: Signature,
  options: CallOptions,
): Promise<unknown> {
  const deadline = connection.deadline(options);
  try {
    const text = await connection.send(call, options, deadline, JSON_TYPE, (response) => response.text());
    return read(signature.value, document(text, call), call);
  } catch (error) {
    throw typed(error, signature);
  } finally {
    deadline.close();
  }
}

async function* stream(
  connection: Connection,
  call: Call,
  signature: Signature,
  element: Shape,
  options: CallOptions,
): AsyncGenerator<unknown, void, undefined> {
  const deadline = connection.deadline(options);
  try {
    const accept = `${NDJSON}, ${JSON_TYPE};q=0.5`;
    const response = await connection.send(call, options, deadline, accept, async (response) => response);
    if (!(response.headers.get("Content-Type") ?? "").startsWith(NDJSON)) {
      yield* whole(response, call, element, deadline);
      return;
    }
    for await (const line of lines(response, call, deadline)) {
      const value = document(line, call);
      if (record(value) && own(value, STREAM_PROBLEM) && Object.keys(value).length === 1) {
        throw problemOf(value[STREAM_PROBLEM], call, 500, undefined, response.headers.get(REQUEST_ID_HEADER) ?? undefined);
      }
      yield read(element, value, call);
    }
  } catch (error) {
    throw typed(error, signature);
  } finally {
    deadline.close();
  }
}

// The answer of a host that did not stream.
async function* whole(response: Response, call: Call, element: Shape, deadline: Deadline): AsyncGenerator<unknown, void, undefined> {
  let text: string;
  try {
    text = await response.text();
  } catch (cause) {
    throw deadline.blame(cause, call);
  }
  deadline.pause();
  yield* read({ list: element }, document(text, call), call) as unknown[];
}

async function* lines(response: Response, call: Call, deadline: Deadline): AsyncGenerator<string, void, undefined> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      let chunk: Uint8Array | undefined;
      deadline.restart();
      try {
        chunk = (await reader.read()).value;
      } catch (cause) {
        throw deadline.blame(cause, call);
      }
      // The time that the caller takes for a line is not the host's.
      deadline.pause();
      const text = chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
      const pieces = text.split("\n");
      const last = pieces.pop() ?? "";
      for (const piece of pieces) {
        const line = rest + piece;
        rest = "";
        if (line.trim() !== "") yield line;
      }
      rest += last;
      if (chunk === undefined) break;
    }
    if (rest.trim() !== "") yield rest;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function batch(connection: Connection, calls: readonly Prepared[], options: CallOptions): Promise<unknown> {
  if (calls.length === 0) return [];
  const one = (call: Prepared): string =>
    `{"slot":${JSON.stringify(call.slot)},"function":${JSON.stringify(call.function)},"arguments":${call.args}}`;
  const call: Call = {
    slot: "",
    name: "batch",
    path: BATCH_PATH,
    body: `[${calls.map(one).join(",")}]`,
    repeatable: calls.every((call) => call.signature.repeatable),
  };
  const deadline = connection.deadline(options);
  try {
    const text = await connection.send(call, options, deadline, JSON_TYPE, (response) => response.text());
    const answers = document(text, call);
    if (!Array.isArray(answers) || answers.length !== calls.length) {
      throw new NetworkError(`expected ${calls.length} answers`, call);
    }
    return calls.map((call, place) => answered(call, answers[place]));
  } finally {
    deadline.close();
  }
}

function answered(call: Prepared, answer: unknown): Outcome<unknown, unknown> {
  const target = { slot: call.slot, name: call.function };
  try {
    if (!record(answer)) throw new NetworkError(said(unexpected()), target);
    if (own(answer, "problem")) throw problemOf(answer["problem"], target, 500);
    return { ok: true, value: read(call.signature.value, answer["result"], target) };
  } catch (error) {
    return { ok: false, error: typed(error, call.signature) as ProblemError };
  }
}

function query(connection: Connection, slot: string, signature: Signature): unknown {
  const run = async (args?: unknown, options: CallOptions = {}): Promise<unknown> =>
    invoke(connection, callOf(slot, signature, args), signature, options);
  const attempt = async (args?: unknown, options: CallOptions = {}): Promise<Outcome<unknown, unknown>> => {
    try {
      return { ok: true, value: await run(args, options) };
    } catch (error) {
      if (error instanceof AvenireError) return { ok: false, error: error as ProblemError };
      throw error;
    }
  };
  const failed = (error: unknown): boolean =>
    error instanceof Failure && error.slot === slot && error.function === signature.name;
  const prepare = (args?: unknown): Prepared =>
    ({ slot, function: signature.name, signature, args: callOf(slot, signature, args).body });
  const { element } = signature;
  const streamed = (args?: unknown, options: CallOptions = {}): unknown =>
    stream(connection, callOf(slot, signature, args), signature, element ?? "void", options);
  return Object.assign(run, { try: attempt, failed, prepare }, element === undefined ? {} : { stream: streamed });
}

function connect(options: ClientOptions, slots: Slots): unknown {
  const connection = new Connection(options);
  const db: Record<string, unknown> = {
    $batch: (calls: readonly Prepared[], options: CallOptions = {}) => batch(connection, calls, options),
  };
  for (const [key, slot] of Object.entries(slots)) {
    const functions = Object.entries(slot.functions);
    db[key] = Object.fromEntries(functions.map(([name, one]) => [name, query(connection, slot.name, one)]));
  }
  return db;
}
