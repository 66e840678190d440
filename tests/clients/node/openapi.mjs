// The document of the folder is valid OpenAPI 3.1, and each of its schemas valid JSON Schema.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import Ajv from "ajv/dist/2020.js";
import formats from "ajv-formats";

const text = readFileSync("openapi.json", "utf8");
const validator = new Validator();
const result = await validator.validate(JSON.parse(text));
assert.deepEqual(result.errors ?? [], []);
assert.equal(result.valid, true);
assert.equal(validator.version, "3.1");

const document = JSON.parse(text);
const ajv = new Ajv.default({ strict: true, strictTypes: false, allErrors: true });
formats.default(ajv);
ajv.addVocabulary(["components"]);
for (const name of ["float", "double", "int32", "int64"]) ajv.addFormat(name, true);
ajv.addSchema({ $id: "https://example.com/document.json", components: document.components });
for (const name of Object.keys(document.components.schemas)) {
  ajv.compile({ $ref: `https://example.com/document.json#/components/schemas/${name}` });
}

const ids = new Set();
for (const [path, item] of Object.entries(document.paths)) {
  for (const operation of Object.values(item)) {
    assert.ok(!ids.has(operation.operationId), operation.operationId);
    ids.add(operation.operationId);
    assert.ok(operation.description || path.startsWith("/v1/every"), `${path} is documented`);
  }
}
assert.ok(ids.has("chat_getMessagesByChatId") && ids.has("chat_getMessagesByChatId_get"));
assert.ok(!ids.has("chat_saveChat_get"), "only what reads has GET");
