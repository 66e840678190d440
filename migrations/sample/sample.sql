-- Sample data: three users and their conversations, the same in every database.
-- Not a migration. Safe to run again: what is there stays as it is.

insert into users (id, name, email, email_verified, username, display_username, created_at, updated_at)
select
    'user-' || n,
    'Sample User ' || n,
    'user-' || n || '@example.com',
    n < 3,
    'sample-user-' || n,
    'Sample-User-' || n,
    at, at
from generate_series(1, 3) as n,
    lateral (select timestamptz '2025-01-06 09:00:00.000001Z' + n * interval '1 day 1 microsecond') as moment (at)
on conflict do nothing;

-- Nobody can sign in with this password: the hash belongs to none.
insert into accounts (id, user_id, provider_id, account_id, scope, password_hash, created_at, updated_at)
values
    ('account-1', 'user-1', 'credential', 'user-1', null, '$argon2id$v=19$m=19456,t=2,p=1$c2FtcGxl$placeholder',
     '2025-01-07 09:00:00.000011Z', '2025-01-07 09:00:00.000011Z'),
    ('account-2', 'user-2', 'github', '1000002', 'read:user user:email', null,
     '2025-01-08 09:00:00.000012Z', '2025-01-08 09:00:00.000012Z')
on conflict do nothing;

insert into email_verifications (id, identifier, value, expires_at, created_at, updated_at)
values
    ('email-verification-1', 'user-3@example.com', 'sample-token-3', '2099-12-31 23:59:59.000001Z',
     '2025-01-09 09:00:00.000013Z', '2025-01-09 09:00:00.000013Z')
on conflict do nothing;

insert into passkeys (id, user_id, name, public_key, credential_id, counter, device_type, backed_up, transports, created_at)
values
    ('passkey-1', 'user-1', 'Sample laptop', 'c2FtcGxlLXB1YmxpYy1rZXk', 'c2FtcGxlLWNyZWRlbnRpYWw', 7,
     'multi-device', true, '{internal,hybrid}', '2025-01-07 09:05:00.000014Z')
on conflict do nothing;

insert into user_settings (user_id, learning_style, difficulty, pacing, email_notification, created_at, updated_at)
values
    ('user-1', 'interactive', 5, true, false, '2025-01-07 09:00:00.000021Z', '2025-01-07 09:00:00.000021Z'),
    ('user-2', 'visual', 7, false, true, '2025-01-08 09:00:00.000022Z', '2025-01-08 09:00:00.000022Z'),
    ('user-3', 'reading', 3, true, true, '2025-01-09 09:00:00.000023Z', '2025-01-09 09:00:00.000023Z')
on conflict do nothing;

-- Chat n begins n days and n microseconds after the first of February.
insert into chat (id, user_id, title, visibility, created_at, updated_at)
select
    'chat-' || n, user_id, title, visibility, at, at
from (values
    (1, 'user-1', 'Why the sky is blue', 'public'),
    (2, 'user-1', 'Reading music', 'private'),
    (3, 'user-1', 'Seven times table', 'private'),
    (4, 'user-1', 'How plants make sugar', 'private'),
    (5, 'user-2', 'First steps in SQL', 'private'),
    (6, 'user-2', 'The causes of tides', 'private'),
    (7, 'user-2', 'Derivatives by example', 'private'),
    (8, 'user-3', 'Greetings in Spanish', 'private')
) as chats (n, user_id, title, visibility),
    lateral (select timestamptz '2025-02-01 10:00:00Z' + n * interval '1 day 1 microsecond') as moment (at)
on conflict do nothing;

-- One row is a question and its answer: messages 2 × turn - 1 and 2 × turn of the chat.
with turns (chat, turn, question, answer) as (
    values
    (1, 1, 'Why is the sky blue?',
        'Air scatters short waves of light more than long ones, so that blue reaches us from all sides.'),
    (1, 2, 'Then why is it red in the evening?',
        'The light comes a longer way through the air, and most of the blue has been scattered out of it.'),
    (2, 1, 'What do the five lines mean?',
        'Each line and each gap is one step of the scale; the clef says which one.'),
    (4, 1, 'What does a plant need for photosynthesis?',
        'Light, water and carbon dioxide; it makes sugar and oxygen of them.'),
    (4, 2, 'Where in the leaf does it happen?',
        'In the chloroplasts, which hold the green chlorophyll that catches the light.'),
    (4, 3, 'Does it stop at night?',
        'Yes. The plant then lives on the sugar of the day, as we live on our supper.'),
    (5, 1, 'How do I see everything in a table?',
        'select * from chat shows every row; name the columns you need instead of * when you know them.'),
    (5, 2, 'And only my own chats?',
        'Add a condition: where user_id = ''user-2''.'),
    (5, 3, 'How do I get the newest first?',
        'Add order by created_at desc, and limit 10 for only ten of them.'),
    (5, 4, 'What is a join?',
        'It puts rows of two tables side by side where a condition holds, such as message.chat_id = chat.id.'),
    (6, 1, 'Why are there two high tides a day?',
        'The moon pulls the near side more and the far side less than the middle: two bulges, and we turn below them.'),
    (6, 2, 'What is a spring tide?',
        'Sun and moon stand in one line and their pulls add up; it has nothing to do with the season.'),
    (6, 3, 'Why are some bays so extreme?',
        'A bay whose water swings in step with the tide amplifies it, like a swing that is pushed at the right moment.'),
    (7, 1, 'What is a derivative?',
        'How fast a value changes: the slope of the curve at one point.'),
    (7, 2, 'What is the derivative of x²?',
        '2x. At x = 3 the curve climbs 6 for each 1 to the right.'),
    (7, 3, 'And of x³?',
        '3x². The exponent comes to the front and shrinks by one.'),
    (7, 4, 'Does that work for every power?',
        'Yes: the derivative of xⁿ is n times x to the power of n - 1.'),
    (7, 5, 'What about a constant?',
        'It does not change, so its derivative is 0.'),
    (8, 1, 'How do I greet somebody in the morning?',
        '¡Buenos días! From noon on it is buenas tardes.'),
    (8, 2, 'And a friend?',
        '¡Hola! ¿Qué tal? suits friends at any time of the day.')
    union all
    select 3, factor, 'What is ' || factor || ' times seven?', factor || ' × 7 = ' || factor * 7 || '.'
    from generate_series(1, 12) as factor
),
messages (chat, n, role, said) as (
    select chat, 2 * turn - 1, 'user', question from turns
    union all
    select chat, 2 * turn, 'assistant', answer from turns
)
insert into message (id, chat_id, role, parts, created_at)
select
    'message-' || chat || '-' || n,
    'chat-' || chat,
    role,
    jsonb_build_array(jsonb_build_object('type', 'text', 'text', said)),
    timestamptz '2025-02-01 10:00:00Z'
        + chat * interval '1 day 1 microsecond' + n * interval '37 seconds 1 microsecond'
from messages
on conflict do nothing;
