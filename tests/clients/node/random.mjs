// Each value of cases.json fits the schemas of the function's argument and result; what fits none
// is refused; and what the client makes of it is written to returned.json.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import Ajv from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { createClient } from "./client.js";

const document = JSON.parse(readFileSync("openapi.json", "utf8"));
const cases = JSON.parse(readFileSync("cases.json", "utf8"));

const ajv = new Ajv.default({ strict: false, allErrors: true });
formats.default(ajv);
for (const name of ["float", "double", "int32", "int64"]) ajv.addFormat(name, true);
const id = "https://example.com/document.json";
ajv.addSchema({ ...document, $id: id });

function schema(place, ...path) {
  const steps = ["paths", `/v1/random/f-x${place}`, "post", ...path, "content", "application/json", "schema"];
  return ajv.compile({ $ref: `${id}#/${steps.map((step) => step.replaceAll("/", "~1")).map(encodeURIComponent).join("/")}` });
}

function fits(validate, value, place) {
  assert.ok(validate(value), `${place}: ${JSON.stringify(value)} ${JSON.stringify(validate.errors)}`);
}

let answer = "";
const sent = [];
const fetch = async (_, init) => {
  sent.push(init.body);
  return new Response(answer, { status: 200 });
};
const client = createClient({ baseUrl: "", fetch });

const returned = [];
for (const [place, { values, acceptsAll }] of cases.entries()) {
  const result = schema(place, "responses", "200");
  const argument = schema(place, "requestBody");
  const texts = [];
  for (const text of values) {
    fits(result, [JSON.parse(text)], place);
    answer = `[${text}]`;
    const [value] = await client.random[`gX${place}`]();
    await client.random[`fX${place}`]({ value });
    const body = sent.at(-1);
    fits(argument, JSON.parse(body), place);
    texts.push(body.slice('{"value":'.length, -1));
  }
  if (!acceptsAll) {
    const wrong = { "no such key": 1 };
    assert.ok(!result([wrong]), `${place}: a result of another form is refused`);
    assert.ok(!argument({ value: wrong }), `${place}: an argument of another form is refused`);
  }
  assert.ok(!argument({ value: JSON.parse(values[0]), other: 1 }), `${place}: unknown arguments`);
  returned.push(texts);
}
writeFileSync("returned.json", JSON.stringify(returned));
