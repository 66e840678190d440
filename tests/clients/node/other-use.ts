// What a public generator made of the document can be used as one would.
import type { components, operations, paths } from "./other";

type Message = components["schemas"]["chat.Message"];
const message: Message = {
  id: "m",
  chatId: "c",
  role: "user",
  parts: [{ any: "thing" }],
  attachments: [],
  createdAt: "2026-01-31T12:00:00Z",
};

type Save = operations["chat_saveChat"]["requestBody"]["content"]["application/json"];
export const save: Save = { userId: "u", title: "t" };
// @ts-expect-error: a title is needed
export const wrong: Save = { userId: "u" };

type Page = operations["chat_listChats"]["responses"][200]["content"]["application/json"];
export const page: Page = { chats: [], next: null };
// @ts-expect-error: in a result, what may be null is there
export const incomplete: Page = { chats: [] };

type Query = NonNullable<paths["/v1/chat/get-chat-by-id"]["get"]>["parameters"]["query"];
export const query: Query = { chatId: message.chatId };

type Failed = operations["chat_saveChat"]["responses"][422]["content"]["application/problem+json"];
export function constraint(problem: Failed): string | undefined {
  return problem.failure.tag === "conflict" ? problem.failure.val.constraint : undefined;
}
