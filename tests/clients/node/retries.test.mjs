// Which calls are made again, and when.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, NetworkError, ProblemError } from "./out/client.js";
import { against, failure, problem } from "./host.mjs";

const fast = { retries: { times: 3, baseMs: 1, capMs: 4 } };

// Fails so often before it is well.
const flaky = (times, failed) => (request, response, turn) => (turn <= times ? failed(request, response) : { body: "[]" });

test("a function that is safe to repeat is called again", () =>
  against(flaky(3, () => problem(503)), async ({ baseUrl, requests }) => {
    assert.deepEqual(await createClient({ baseUrl, ...fast }).every.count({ to: 1 }), []);
    assert.equal(requests.length, 4);
    assert.equal(new Set(requests.map((one) => one.body)).size, 1);
  }));

test("also after a connection that broke, and when it is one transaction", () =>
  against(flaky(2, (_, response) => void response.destroy()), async ({ baseUrl, requests }) => {
    const db = createClient({ baseUrl, ...fast });
    await db.chat.saveMessages({ chatId: "c", userId: "u", messages: [] });
    assert.equal(requests.length, 3);
  }));

test("a function that may have an effect each time is not", async () => {
  for (const failed of [() => problem(503, { retryable: true }), (_, response) => void response.destroy()]) {
    await against(flaky(1, failed), async ({ baseUrl, requests }) => {
      await assert.rejects(createClient({ baseUrl, ...fast }).chat.deleteChatsByUserId({ userId: "u" }));
      assert.equal(requests.length, 1);
    });
  }
});

test("what will not pass is not tried again", async () => {
  const lasting = [problem(400), problem(409), problem(500), problem(503, { retryable: false }), failure({ tag: "not-found", val: "x" })];
  for (const answer of lasting) {
    await against(() => answer, async ({ baseUrl, requests }) => {
      await assert.rejects(createClient({ baseUrl, ...fast }).every.count({ to: 1 }));
      assert.equal(requests.length, 1, answer.body);
    });
  }
});

test("what the host calls retryable is, whatever its status", () =>
  against(flaky(1, () => problem(409, { retryable: true, sqlstate: "40001" })), async ({ baseUrl, requests }) => {
    await createClient({ baseUrl, ...fast }).every.count({ to: 1 });
    assert.equal(requests.length, 2);
  }));

test("repetitions come to an end, with the last failure", () =>
  against((_, __, turn) => problem(503, { detail: `${turn}` }), async ({ baseUrl, requests }) => {
    const db = createClient({ baseUrl, ...fast });
    await assert.rejects(db.every.count({ to: 1 }), { detail: "4" });
    await assert.rejects(db.every.count({ to: 1 }, { retries: 0 }), { detail: "5" });
    assert.equal(requests.length, 5);
  }));

test("the host says how long to wait", () =>
  against(flaky(1, () => problem(429, {}, { "Retry-After": "1" })), async ({ baseUrl, requests }) => {
    const begin = Date.now();
    await createClient({ baseUrl, ...fast }).every.count({ to: 1 });
    assert.ok(Date.now() - begin >= 990, "not before its time");
    assert.equal(requests.length, 2);
  }));

test("a wait beyond the limit of time is not begun", () =>
  against(() => problem(503, {}, { "Retry-After": "60" }), async ({ baseUrl, requests }) => {
    const error = await createClient({ baseUrl, ...fast, timeoutMs: 10_000 }).every.count({ to: 1 }).catch((error) => error);
    assert.ok(error instanceof ProblemError);
    assert.equal(error.retryAfterMs, 60_000);
    assert.equal(requests.length, 1);
  }));

test("a wait ends when the caller wants", () =>
  against(() => problem(503, {}, { "Retry-After": "20" }), async ({ baseUrl, requests }) => {
    const controller = new AbortController();
    const call = createClient({ baseUrl, ...fast }).every.count({ to: 1 }, { signal: controller.signal });
    const look = setInterval(() => requests.length > 0 && controller.abort(new Error("enough")), 10);
    await assert.rejects(call, { message: "enough" });
    clearInterval(look);
  }));

test("waits double and are drawn at random below their bound", async () => {
  const waits = [];
  const { setTimeout: real } = globalThis;
  const { random } = Math;
  const fetch = async () => { throw new Error("down"); };
  try {
    Math.random = () => 0.5;
    globalThis.setTimeout = (run, ms) => (waits.push(ms), real(run, 0));
    const db = createClient({ baseUrl: "", fetch, timeoutMs: 0, retries: { times: 5, baseMs: 100, capMs: 500 } });
    await assert.rejects(db.every.count({ to: 1 }), NetworkError);
  } finally {
    globalThis.setTimeout = real;
    Math.random = random;
  }
  assert.deepEqual(waits, [50, 100, 200, 250, 250]);
});

test("a batch is repeated only when all of it may be", () =>
  against(() => problem(503), async ({ baseUrl, requests }) => {
    const db = createClient({ baseUrl, ...fast });
    const safe = db.every.count.prepare({ to: 1 });
    await assert.rejects(db.$batch([safe, safe]));
    assert.equal(requests.length, 4);
    await assert.rejects(db.$batch([safe, db.every.delete.prepare()]));
    assert.equal(requests.length, 5);
  }));
