// Results that are read as they come.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, Failure, NetworkError, ProblemError } from "./out/client.js";
import { against, problem, until } from "./host.mjs";

const NDJSON = { "Content-Type": "application/x-ndjson", "X-Request-Id": "s-1" };

// Sends these pieces, one after the other.
const pieces = (list, end = (response) => response.end()) => async (_, response) => {
  response.writeHead(200, NDJSON);
  for (const piece of list) {
    response.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  end(response);
};

async function collect(stream, into = []) {
  for await (const element of stream) into.push(element);
  return into;
}

test("elements come with every digit, wherever the pieces are cut", () => {
  const text = Buffer.from('1\n18446744073709551615\r\n\n3\n4');
  const cuts = [...text].map((byte) => Buffer.from([byte]));
  return against(pieces(cuts), async ({ baseUrl, requests }) => {
    const stream = createClient({ baseUrl }).every.count.stream({ to: 4 });
    assert.deepEqual(await collect(stream), [1n, 18446744073709551615n, 3n, 4n]);
    assert.ok(requests[0].headers.accept.startsWith("application/x-ndjson"));
  });
});

test("a letter that is cut in two is one letter", () => {
  const text = Buffer.from('"aü🦀"\n"b"\n');
  return against(pieces([text.subarray(0, 3), text.subarray(3, 6), text.subarray(6)]), async ({ baseUrl }) => {
    const stream = createClient({ baseUrl }).every.search.stream({ term: "", tags: [], ratio: 1 });
    assert.deepEqual(await collect(stream), ["aü🦀", "b"]);
  });
});

test("elements are given before the stream is at its end", () =>
  against((_, response) => void response.writeHead(200, NDJSON).write("1\n"), async ({ baseUrl }) => {
    const stream = createClient({ baseUrl }).every.count.stream({ to: 4 });
    assert.deepEqual(await stream.next(), { done: false, value: 1n });
    await stream.return();
  }));

test("a failure midway comes after the elements before it", () =>
  against(pieces(['1\n2\n', '{"$problem":{"type":"urn:avenire:failure","title":"t","status":422,"failure":{"tag":"not-found","val":"x"}}}\n']), async ({ baseUrl }) => {
    const db = createClient({ baseUrl });
    const elements = [];
    const error = await collect(db.every.count.stream({ to: 4 }), elements).catch((error) => error);
    assert.deepEqual(elements, [1n, 2n]);
    assert.ok(error instanceof Failure && db.every.count.failed(error));
    assert.deepEqual(error.failure, { tag: "not-found", val: "x" });
    assert.equal(error.requestId, "s-1");
  }));

test("a problem midway is one, and is not tried again", () =>
  against(pieces(['1\n', '{"$problem":{"type":"urn:avenire:timeout","title":"late","status":504,"retryable":true}}\n']), async ({ baseUrl, requests }) => {
    const error = await collect(createClient({ baseUrl }).every.count.stream({ to: 4 })).catch((error) => error);
    assert.ok(error instanceof ProblemError && error.status === 504);
    assert.equal(requests.length, 1);
  }));

test("a stream that breaks is a network error", () =>
  against(pieces(["1\n"], (response) => response.destroy()), async ({ baseUrl }) => {
    const elements = [];
    await assert.rejects(collect(createClient({ baseUrl }).every.count.stream({ to: 4 }), elements), NetworkError);
    assert.deepEqual(elements, [1n]);
  }));

test("a failure before the first element is tried again", () =>
  against((request, response, turn) => (turn === 1 ? problem(503) : pieces(["1\n"])(request, response)), async ({ baseUrl }) => {
    const db = createClient({ baseUrl, retries: { baseMs: 1 } });
    assert.deepEqual(await collect(db.every.count.stream({ to: 4 })), [1n]);
  }));

test("leaving the loop ends the request", () => {
  let closed = false;
  const endless = (_, response) => {
    response.writeHead(200, NDJSON);
    const timer = setInterval(() => response.write("1\n"), 2);
    response.on("close", () => { clearInterval(timer); closed = true; });
  };
  return against(endless, async ({ baseUrl }) => {
    let count = 0;
    for await (const element of createClient({ baseUrl }).every.count.stream({ to: 4 })) {
      assert.equal(element, 1n);
      if (++count === 3) break;
    }
    await until(() => closed);
  });
});

test("the limit of time is for each piece, not for the whole, and not for the caller", async () => {
  await against(pieces(["1\n", "2\n", "3\n"]), async ({ baseUrl }) => {
    const elements = [];
    for await (const element of createClient({ baseUrl, timeoutMs: 2000 }).every.count.stream({ to: 4 })) {
      if (elements.push(element) === 1) await new Promise((resolve) => setTimeout(resolve, 2300));
    }
    assert.deepEqual(elements, [1n, 2n, 3n]);
  });
  await against((_, response) => void response.writeHead(200, NDJSON).write("1\n"), async ({ baseUrl }) => {
    const error = await collect(createClient({ baseUrl, timeoutMs: 50 }).every.count.stream({ to: 4 })).catch((error) => error);
    assert.ok(error instanceof NetworkError && error.timedOut);
  });
});

test("a caller's signal ends a stream", () =>
  against((_, response) => void response.writeHead(200, NDJSON).write("1\n"), async ({ baseUrl }) => {
    const controller = new AbortController();
    const stream = createClient({ baseUrl }).every.count.stream({ to: 4 }, { signal: controller.signal });
    await stream.next();
    const next = stream.next();
    controller.abort(new Error("enough"));
    await assert.rejects(next, { message: "enough" });
  }));

test("a host that does not stream gives the same elements", () =>
  against(() => ({ body: "[1,18446744073709551615]" }), async ({ baseUrl }) => {
    assert.deepEqual(await collect(createClient({ baseUrl }).every.count.stream({ to: 4 })), [1n, 18446744073709551615n]);
  }));
