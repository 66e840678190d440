// What a failed call throws.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AvenireError, createClient, Failure, NetworkError, ProblemError } from "./out/client.js";
import { against, failure, problem } from "./host.mjs";

const once = { retries: 0 };

test("a component's own failure has its type, with every digit", () =>
  against(() => ({ ...failure(0), body: '{"type":"urn:avenire:failure","title":"t","status":422,"instance":"r","failure":{"tag":"too-large","val":18446744073709551615}}' }), async ({ baseUrl }) => {
    const db = createClient({ baseUrl });
    const error = await db.every.count({ to: 1 }).catch((error) => error);
    assert.ok(error instanceof Failure && error instanceof AvenireError && error instanceof Error);
    assert.deepEqual(error.failure, { tag: "too-large", val: 18446744073709551615n });
    assert.equal(error.message, "every.count failed: too-large");
    assert.equal(error.requestId, "r");
    assert.ok(db.every.count.failed(error));
    assert.ok(!db.every.echo.failed(error), "it is not that function's failure");
  }));

test("a failure that carries nothing is null", () =>
  against(() => failure(null), async ({ baseUrl }) => {
    const outcome = await createClient({ baseUrl }).every.then_.try();
    assert.equal(outcome.ok, false);
    assert.equal(outcome.error.failure, null);
  }));

test("a problem says what the host said", () =>
  against(() => problem(409, { detail: "no", sqlstate: "23505", constraint: "k", table: "t", column: "c", blame: "caller", retryable: false }), async ({ baseUrl }) => {
    const outcome = await createClient({ baseUrl }).chat.saveChat.try({ userId: "u", title: "t" });
    const { error } = outcome;
    assert.ok(error instanceof ProblemError && !(error instanceof Failure));
    const { status, sqlstate, constraint, table, column, blame, retryable, requestId, slot } = error;
    assert.deepEqual({ status, sqlstate, constraint, table, column, blame, retryable, requestId, slot },
      { status: 409, sqlstate: "23505", constraint: "k", table: "t", column: "c", blame: "caller", retryable: false, requestId: "req-1", slot: "chat" });
    assert.equal(error.message, "chat.save-chat: 409 no");
  }));

test("an answer of something else than the host is a problem too", () =>
  against(() => ({ status: 502, body: "<html>bad gateway</html>", headers: { "Content-Type": "text/html", "X-Request-Id": "p" } }), async ({ baseUrl }) => {
    const error = await createClient({ baseUrl }).every.delete().catch((error) => error);
    assert.ok(error instanceof ProblemError);
    assert.deepEqual([error.status, error.type, error.requestId], [502, "about:blank", "p"]);
  }));

test("no host is a network error with its cause", async () => {
  const { baseUrl } = await against(() => ({}), async (host) => host);
  const error = await createClient({ baseUrl, ...once }).every.count({ to: 1 }).catch((error) => error);
  assert.ok(error instanceof NetworkError && !error.timedOut);
  assert.ok(error.cause instanceof Error);
});

test("a result of another form than the contract's is a network error", () =>
  against(() => ({ body: '{"a":1}' }), async ({ baseUrl }) => {
    const outcome = await createClient({ baseUrl }).every.count.try({ to: 1 });
    assert.ok(outcome.error instanceof NetworkError);
  }));

test("a call ends with its limit of time", () =>
  against(() => undefined, async ({ baseUrl }) => {
    const error = await createClient({ baseUrl, timeoutMs: 30 }).every.count({ to: 1 }).catch((error) => error);
    assert.ok(error instanceof NetworkError && error.timedOut);
  }));

test("a call ends when its caller wants, with the caller's reason", { timeout: 20_000 }, () =>
  against(() => undefined, async ({ baseUrl, requests }) => {
    const db = createClient({ baseUrl, timeoutMs: 0 });
    const controller = new AbortController();
    const call = db.every.count({ to: 1 }, { signal: controller.signal });
    const other = db.every.count.try({ to: 1 }, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 20);
    await assert.rejects(call, { message: "enough" });
    await assert.rejects(other, { message: "enough" });
    const before = requests.length;
    await assert.rejects(db.every.count({ to: 1 }, { signal: controller.signal }), { message: "enough" });
    assert.equal(requests.length, before, "nothing is sent for a signal that is over");
  }));
