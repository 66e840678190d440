// A host that answers by the documented protocol: what a test says for each request.
import { createServer } from "node:http";
import { once } from "node:events";

/**
 * Serves until `close`. `answer` gets {path, method, headers, body} and gives {status, headers,
 * body} or handles the response itself and gives nothing.
 */
export async function host(answer) {
  const requests = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const seen = { path: request.url, method: request.method, headers: request.headers, body };
    requests.push(seen);
    const given = await answer(seen, response, requests.length);
    if (given === undefined) return;
    response.writeHead(given.status ?? 200, { "Content-Type": "application/json", ...given.headers });
    response.end(given.body ?? "null");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { baseUrl: `http://127.0.0.1:${server.address().port}/`, requests, close };
}

/** A problem document as the host's answer. */
export function problem(status, members = {}, headers = {}) {
  const document = { type: "about:blank", title: "it failed", status, instance: "req-1", ...members };
  return { status, body: JSON.stringify(document), headers: { "Content-Type": "application/problem+json", ...headers } };
}

/** A component's own failure. */
export function failure(failure, status = 422) {
  return problem(status, { type: "urn:avenire:failure", title: "the function failed", failure });
}

/** Waits until something holds. */
export async function until(holds) {
  for (let turn = 0; !holds(); turn++) {
    if (turn > 2000) throw new Error("it does not come to hold");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Runs a test against a host of its own. */
export async function against(answer, run) {
  const one = await host(answer);
  try {
    return await run(one);
  } finally {
    await one.close();
  }
}
