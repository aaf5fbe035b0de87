CREATE TABLE bot (
    id INTEGER PRIMARY KEY,
    username TEXT NOT NULL UNIQUE COLLATE NOCASE,
    name TEXT NOT NULL,
    token_digest BLOB NOT NULL,
    next_update_id INTEGER NOT NULL,
    allowed_updates TEXT,
    webhook TEXT,
    webhook_error TEXT,
    webhook_error_at INTEGER,
    menu_button TEXT
);
CREATE TABLE person (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    phone TEXT,
    language TEXT NOT NULL DEFAULT 'zh'
);
CREATE TABLE sign_in (
    code_digest BLOB PRIMARY KEY,
    person_id INTEGER NOT NULL REFERENCES person,
    bot TEXT,
    start TEXT,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) WITHOUT ROWID;
CREATE TABLE session (
    digest BLOB PRIMARY KEY,
    person_id INTEGER NOT NULL REFERENCES person,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE chat (
    bot_id INTEGER NOT NULL REFERENCES bot,
    person_id INTEGER NOT NULL REFERENCES person,
    next_message_id INTEGER NOT NULL DEFAULT 1,
    last_read INTEGER NOT NULL DEFAULT 0,
    blocked INTEGER NOT NULL DEFAULT 0,
    menu_button TEXT,
    PRIMARY KEY (bot_id, person_id)
) WITHOUT ROWID;
CREATE TABLE message (
    bot_id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    outgoing INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (bot_id, person_id, id)
) WITHOUT ROWID;
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX event_person ON event (person_id, id);
CREATE TABLE pending_update (
    bot_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (bot_id, id)
) WITHOUT ROWID;
CREATE TABLE callback_query (
    id TEXT PRIMARY KEY,
    bot_id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    answered INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE file (
    id TEXT PRIMARY KEY,
    bot_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    digest TEXT NOT NULL,
    name TEXT NOT NULL,
    mime TEXT NOT NULL,
    size INTEGER NOT NULL,
    width INTEGER,
    height INTEGER
) WITHOUT ROWID;
CREATE TABLE file_reader (
    file_id TEXT NOT NULL,
    person_id INTEGER NOT NULL,
    PRIMARY KEY (file_id, person_id)
) WITHOUT ROWID;
CREATE TABLE commands (
    bot_id INTEGER NOT NULL,
    scope TEXT NOT NULL,
    language TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (bot_id, scope, language)
) WITHOUT ROWID;
