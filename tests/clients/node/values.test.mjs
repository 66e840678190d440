// Values of every type, there and back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, fromDate, toDate, toMicros } from "./out/client.js";
import { against } from "./host.mjs";

const VALUE = {
  aBool: true,
  small: [-128, 255, -32768, 65535, -2147483648, 4294967295],
  signed: -(2n ** 63n),
  unsigned: 2n ** 64n - 1n,
  floats: [0.1, -0, 1e308, 5e-324, 123456789012345680000, NaN, Infinity, -Infinity],
  letter: "🦀",
  text: "a \"quoted\" \\ \n 12345678901234567890 \u2028 ü \\\\",
  bytes: Uint8Array.from({ length: 70000 }, (_, index) => index % 256),
  at: "2026-01-31T12:00:00.000001Z",
  document: { numbers: [1, 2.5, 1e300], "12345678901234567890": null, deep: [[{}], "x\\"], __proto: 1 },
  maybe: 9007199254740993n,
  perhaps: { tag: "some", val: null },
  outcome: { tag: "ok", val: 9007199254740993n },
  done: { tag: "err" },
  colour: "dark-green",
  rights: ["read", "write-all"],
  choice: { tag: "number", val: 18446744073709551615n },
  choices: [{ tag: "nothing" }, { tag: "maybe", val: null }, { tag: "maybe", val: "x" }, { tag: "place", val: [0.5, NaN] }],
  inner: { bytes: new Uint8Array() },
};

const echo = (request) => ({ body: rawValue(request.body) });

// The one argument as it was sent, without a reader that would round it.
function rawValue(body) {
  assert.ok(body.startsWith('{"value":') && body.endsWith("}"));
  return body.slice('{"value":'.length, -1);
}

test("every type comes back as it went", () =>
  against(echo, async ({ baseUrl, requests }) => {
    const db = createClient({ baseUrl });
    assert.deepEqual(await db.every.echo({ value: VALUE }), VALUE);
    const sent = requests[0].body;
    assert.ok(sent.includes('"signed":-9223372036854775808,"unsigned":18446744073709551615,'));
    assert.ok(sent.includes('[0.1,-0.0,1e+308,5e-324,123456789012345680000,"NaN","Infinity","-Infinity"]'));
    assert.ok(sent.includes('"inner":{"bytes":""}'));
  }));

test("small 64-bit integers are bigints too, and numbers that are exact are accepted", () =>
  against(echo, async ({ baseUrl }) => {
    const db = createClient({ baseUrl });
    const small = { ...VALUE, text: "", document: null, signed: 7, unsigned: 0n, maybe: null, outcome: { tag: "err", val: "e" }, choice: { tag: "nothing" }, floats: [] };
    const back = await db.every.echo({ value: small });
    assert.equal(back.signed, 7n);
    assert.deepEqual(back, { ...small, signed: 7n });
  }));

test("an option may be absent in arguments", () =>
  against(() => ({ body: "[null,18446744073709551615]" }), async ({ baseUrl, requests }) => {
    const db = createClient({ baseUrl });
    assert.deepEqual(await db.every.page(), [null, 2n ** 64n - 1n]);
    await db.every.page({ start: null });
    await db.every.page({ start: undefined });
    await db.every.page({ start: { tag: "maybe" } });
    assert.deepEqual(requests.map((one) => one.body), ["{}", '{"start":null}', "{}", '{"start":{"tag":"maybe","val":null}}']);
  }));

test("what does not fit its type is refused before anything is sent", () =>
  against(echo, async ({ baseUrl, requests }) => {
    const db = createClient({ baseUrl });
    const wrong = { aBool: 1, small: [1], signed: 1.5, unsigned: 2 ** 53, floats: ["1"], letter: 1, bytes: [1], document: undefined, colour: undefined, rights: "read", choice: { tag: "constructor" }, choices: {}, inner: null };
    for (const [key, value] of Object.entries(wrong)) {
      await assert.rejects(db.every.echo({ value: { ...VALUE, [key]: value } }), (error) =>
        error instanceof TypeError && error.message.startsWith(`arguments.value.${key}`), key);
    }
    assert.equal(requests.length, 0);
  }));

test("a function without a result gives undefined", () =>
  against(() => ({ body: "null" }), async ({ baseUrl, requests }) => {
    const db = createClient({ baseUrl });
    assert.equal(await db.every.delete(), undefined);
    assert.equal(await db.every.then_({ value: true }), undefined);
    assert.deepEqual(requests.map((one) => one.path), ["/v1/every/delete", "/v1/every/then"]);
  }));

test("documents with long digits are read as the platform reads them", () =>
  against(() => ({ body: ' [ {"a":12345678901234567890,"__proto__":[1e400,-12345678901234567890.5, "\\u00e9\\\\" ] , "b" : { } }\n, [ ] ]' }), async ({ baseUrl }) => {
    const [document, empty] = await createClient({ baseUrl }).every.documents();
    assert.equal(document.a, 12345678901234567000);
    assert.deepEqual(Object.keys(document), ["a", "__proto__", "b"]);
    assert.deepEqual(Object.getOwnPropertyDescriptor(document, "__proto__").value, [Infinity, -12345678901234567000, "é\\"]);
    assert.deepEqual(empty, []);
  }));

test("what is no JSON is refused, however long its digits", async () => {
  const long = "1234567890123456";
  for (const body of ["", "{", `[${long}`, `[${long},]`, `{"a"${long}}`, `{a:${long}}`, `"${long}`, `${long} 1`, `0${long}`, `[tru,${long}]`]) {
    await against(() => ({ body }), async ({ baseUrl }) => {
      await assert.rejects(createClient({ baseUrl }).every.documents(), { name: "NetworkError" }, body);
    });
  }
});

test("timestamps keep their microseconds", () => {
  assert.equal(toMicros("1970-01-01T00:00:00.000001Z"), 1n);
  assert.equal(toMicros("1969-12-31T23:59:59.9Z"), -100000n);
  assert.equal(toMicros("2026-01-31T12:00:00.1234567+01:00"), BigInt(Date.UTC(2026, 0, 31, 11)) * 1000n + 123456n);
  assert.equal(fromDate(toDate("2026-01-31T12:00:00.123456Z")), "2026-01-31T12:00:00.123Z");
  assert.throws(() => toDate("infinity"), RangeError);
});
