// What the compiler accepts and what it refuses.
import {
  createClient, Failure, ProblemError, toDate,
  type Auth, type Chat, type Client, type Every, type Outcome,
} from "./client.js";

const db: Client = createClient({ baseUrl: "https://db.example.com", token: async () => "t" });

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

export async function chats(): Promise<void> {
  const chat = await db.chat.getChatById({ chatId: "c" });
  same<typeof chat, Chat.Chat>(true);
  same<Chat.Visibility, "private" | "public">(true);
  toDate(chat.createdAt);
  await db.chat.getChatById({ chatId: "c", reader: null }, { key: "tenant", timeoutMs: 5 });
  await db.chat.getChatById({ chatId: "c", reader: undefined });
  const count = await db.chat.deleteChatsByUserId({ userId: "u" });
  same<typeof count, bigint>(true);

  // @ts-expect-error: an argument is missing
  await db.chat.getChatById({});
  // @ts-expect-error: all arguments are missing
  await db.chat.getChatById();
  // @ts-expect-error: there is no such argument
  await db.chat.getChatById({ chatId: "c", chat: "d" });
  // @ts-expect-error: an id is a text
  await db.chat.getChatById({ chatId: 1 });
  // @ts-expect-error: there is no such function
  await db.chat.getChat({ chatId: "c" });
  // @ts-expect-error: not one of the enum's names
  await db.chat.saveChat({ userId: "u", title: "t", visibility: "secret" });
  // @ts-expect-error: there is no such slot
  await db.chats.getChatById({ chatId: "c" });
  // @ts-expect-error: one chat can not be streamed
  db.chat.getChatById.stream({ chatId: "c" });
}

export async function pages(): Promise<void> {
  const page = await db.chat.listChats({ userId: "u", limit: 5, start: { tag: "first" } });
  same<typeof page.next, Chat.Position | null>(true);
  if (page.next !== null) {
    await db.chat.listChats({ userId: "u", limit: 5, start: { tag: "after", val: page.next } });
  }
  // @ts-expect-error: this case carries a position
  await db.chat.listChats({ userId: "u", limit: 5, start: { tag: "after" } });
  interface Part { readonly type: "text"; text: string }
  const parts: Part[] = [{ type: "text", text: "hello" }];
  await db.chat.saveMessages({ chatId: "c", userId: "u", messages: [{ role: "user", parts }] });
  const changes: Auth.TextChange = { tag: "clear" };
  void changes;
}

export async function failures(): Promise<string> {
  const outcome = await db.chat.getChatById.try({ chatId: "c" });
  same<typeof outcome, Outcome<Chat.Chat, Chat.Failure>>(true);
  if (outcome.ok) return outcome.value.title;
  if (outcome.error instanceof ProblemError) return outcome.error.sqlstate ?? "";
  try {
    await db.chat.getChatById({ chatId: "c" });
  } catch (error) {
    if (db.chat.getChatById.failed(error)) {
      same<typeof error, Failure<Chat.Failure>>(true);
      switch (error.failure.tag) {
        case "conflict": return error.failure.val.constraint;
        case "not-found": return error.failure.val;
        // @ts-expect-error: there is no such failure
        case "gone": return "";
        default: return "other";
      }
    }
  }
  return "";
}

export async function everything(value: Every.EverythingInput): Promise<void> {
  const back = await db.every.echo({ value });
  same<typeof back, Every.Everything>(true);
  same<typeof back.unsigned, bigint>(true);
  same<typeof back.bytes, Uint8Array>(true);
  same<typeof back.maybe, bigint | null>(true);
  same<typeof back.perhaps, { tag: "some"; val: string | null } | null>(true);
  same<typeof back.colour, "red" | "dark-green">(true);
  same<typeof back.rights, ("read" | "write-all")[]>(true);
  same<typeof back.inner, Every.EchoesUint8Array>(true);
  // A result can be an argument.
  await db.every.echo({ value: back });
  // @ts-expect-error: 64 bits do not fit a number
  await db.every.echo({ value: { ...back, signed: 1 } });
  const nothing = await db.every.delete();
  same<typeof nothing, void>(true);
  await db.every.then_();
  for await (const number of db.every.count.stream({ to: 3 })) same<typeof number, bigint>(true);
  // @ts-expect-error: documents are not streamed
  db.every.documents.stream();
}

export async function batches(): Promise<void> {
  const [chat, count] = await db.$batch([
    db.chat.getChatById.prepare({ chatId: "c" }),
    db.every.count.prepare({ to: 3 }),
  ]);
  same<typeof chat, Outcome<Chat.Chat, Chat.Failure>>(true);
  same<typeof count, Outcome<bigint[], Every.Error>>(true);
  // @ts-expect-error: an argument is missing
  db.chat.getChatById.prepare({});
}
