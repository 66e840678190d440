// What is sent, and batches.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, Failure, NetworkError, ProblemError } from "./out/client.js";
import { against } from "./host.mjs";

test("a call is a POST of named arguments with the client's and its own headers", () =>
  against(() => ({ body: "[]" }), async ({ baseUrl, requests }) => {
    let tokens = 0;
    const db = createClient({ baseUrl, token: async () => `t${++tokens}`, headers: { "X-App": "a", "X-Other": "b" } });
    await db.chat.getMessagesByChatId({ chatId: "c", reader: "r" });
    await db.chat.getMessagesByChatId({ chatId: "c" }, { key: "tenant", fresh: true, headers: { "X-App": "c" } });
    const [first, second] = requests;
    assert.deepEqual([first.method, first.path, first.body], ["POST", "/v1/chat/get-messages-by-chat-id", '{"chatId":"c","reader":"r"}']);
    assert.equal(first.headers["content-type"], "application/json");
    assert.equal(first.headers.accept, "application/json");
    assert.deepEqual([first.headers.authorization, second.headers.authorization], ["Bearer t1", "Bearer t2"]);
    assert.deepEqual([first.headers["avenire-key"], second.headers["avenire-key"]], [undefined, "tenant"]);
    assert.deepEqual([first.headers["avenire-fresh"], second.headers["avenire-fresh"]], [undefined, "true"]);
    assert.deepEqual([first.headers["x-app"], second.headers["x-app"], second.headers["x-other"]], ["a", "c", "b"]);
  }));

test("without a token none is sent", () =>
  against(() => ({ body: "[]" }), async ({ baseUrl, requests }) => {
    await createClient({ baseUrl }).every.documents();
    assert.equal(requests[0].headers.authorization, undefined);
  }));

test("another fetch can be given", async () => {
  const urls = [];
  const fetch = async (url, init) => {
    urls.push([url, init.body, init.signal instanceof AbortSignal]);
    return new Response('["x"]', { status: 200 });
  };
  const db = createClient({ baseUrl: "https://db.example.com/base//", fetch });
  assert.deepEqual(await db.every.documents(), ["x"]);
  assert.deepEqual(urls, [["https://db.example.com/base/v1/every/documents", "{}", true]]);
});

test("what gives the token may fail, and nothing is sent", async () => {
  const fetch = async () => assert.fail("nothing is sent");
  const db = createClient({ baseUrl: "", fetch, token: () => { throw new Error("signed out"); } });
  await assert.rejects(db.every.count.try({ to: 1 }), { message: "signed out" });
});

test("a batch keeps its order and tells apart what became of each call", () =>
  against(() => ({ body: '[{"result":[18446744073709551615]},{"problem":{"type":"urn:avenire:failure","title":"t","status":422,"instance":"r","failure":{"tag":"not-found","val":"chat"}}},{"problem":{"type":"urn:avenire:x","title":"x","status":503,"retryable":true}},{"result":null},{"result":7}]' }), async ({ baseUrl, requests }) => {
    const db = createClient({ baseUrl });
    const [count, chat, other, nothing, wrong] = await db.$batch([
      db.every.count.prepare({ to: 1, from: 2n ** 63n }),
      db.chat.getChatById.prepare({ chatId: "c" }),
      db.every.documents.prepare(),
      db.every.delete.prepare(),
      db.every.count.prepare({ to: 1 }),
    ]);
    assert.deepEqual(count, { ok: true, value: [18446744073709551615n] });
    assert.ok(chat.error instanceof Failure && db.chat.getChatById.failed(chat.error));
    assert.equal(chat.error.requestId, "r");
    assert.ok(other.error instanceof ProblemError && other.error.status === 503);
    assert.deepEqual(nothing, { ok: true, value: undefined });
    assert.ok(wrong.error instanceof NetworkError);
    assert.equal(requests[0].path, "/v1/batch");
    assert.ok(requests[0].body.startsWith('[{"slot":"every","function":"count","arguments":{"to":1,"from":9223372036854775808}},{"slot":"chat","function":"get-chat-by-id","arguments":{"chatId":"c"}},'));
  }));

test("an empty batch needs no host, and one of another length is refused", async () => {
  assert.deepEqual(await createClient({ baseUrl: "", fetch: () => assert.fail() }).$batch([]), []);
  await against(() => ({ body: "[]" }), async ({ baseUrl }) => {
    const db = createClient({ baseUrl });
    await assert.rejects(db.$batch([db.every.delete.prepare()]), NetworkError);
  });
});
