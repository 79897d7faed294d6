-- For SQLite and PostgreSQL alike: text and 64-bit integers only. Times are milliseconds since 1970,
-- truth is 0 or 1, secrets are kept as SHA-256 in hexadecimal, what has an inner shape is JSON.

CREATE TABLE organisations (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

-- E-mail domains whose accounts belong to an organisation.
CREATE TABLE domains (
    domain       TEXT NOT NULL PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE
);

-- Local ones are known by their e-mail, those of a provider by issuer and subject.
CREATE TABLE accounts (
    id            TEXT   NOT NULL PRIMARY KEY,
    email         TEXT,
    name          TEXT   NOT NULL,
    administrator BIGINT NOT NULL,
    issuer        TEXT,
    subject       TEXT,
    created_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX accounts_of_a_provider ON accounts (issuer, subject) WHERE issuer IS NOT NULL;
CREATE UNIQUE INDEX accounts_of_our_own ON accounts (email) WHERE issuer IS NULL;
CREATE INDEX accounts_by_email ON accounts (email);

-- Organisations that a provider's claims named.
CREATE TABLE memberships (
    account      TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    organisation TEXT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    PRIMARY KEY (account, organisation)
);

CREATE TABLE credentials (
    account    TEXT   NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    passphrase TEXT   NOT NULL,
    changed_at BIGINT NOT NULL
);

-- Addresses that somebody says are theirs.
CREATE TABLE proofs (
    email      TEXT   NOT NULL PRIMARY KEY,
    code       TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    passphrase TEXT   NOT NULL,
    tries      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE logins (
    secret     TEXT   NOT NULL PRIMARY KEY,
    account    TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX logins_by_account ON logins (account);

-- Sign-ins that are on their way through a provider.
CREATE TABLE sign_ins (
    state      TEXT   NOT NULL PRIMARY KEY,
    browser    TEXT   NOT NULL,
    nonce      TEXT   NOT NULL,
    verifier   TEXT   NOT NULL,
    return_to  TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE applications (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    secret     TEXT   NOT NULL UNIQUE,
    scopes     TEXT   NOT NULL,
    domains    TEXT   NOT NULL,
    created_by TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL
);

CREATE TABLE rooms (
    code       TEXT   NOT NULL PRIMARY KEY,
    title      TEXT   NOT NULL,
    owner      TEXT   NOT NULL REFERENCES accounts (id),
    policy     TEXT   NOT NULL,
    retention  BIGINT,
    starts_at  BIGINT,
    lasts      BIGINT,
    invitation BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX rooms_by_owner ON rooms (owner, created_at);

CREATE TABLE roles (
    room    TEXT NOT NULL REFERENCES rooms (code) ON DELETE CASCADE,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    role    TEXT NOT NULL,
    PRIMARY KEY (room, account)
);
CREATE INDEX roles_by_account ON roles (account);

CREATE TABLE invitees (
    room  TEXT NOT NULL REFERENCES rooms (code) ON DELETE CASCADE,
    email TEXT NOT NULL,
    PRIMARY KEY (room, email)
);

-- Tickets given out. Also for codes of rooms that are not there, so that the work is the same.
CREATE TABLE joins (
    participant TEXT   NOT NULL PRIMARY KEY,
    room        TEXT   NOT NULL,
    identity    TEXT   NOT NULL,
    resume      TEXT   NOT NULL UNIQUE,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX joins_by_expiry ON joins (expires_at);

-- One run of a room. The epoch counts the authorities that ran it: only the newest may write.
CREATE TABLE sessions (
    id         TEXT   NOT NULL PRIMARY KEY,
    room       TEXT   NOT NULL,
    epoch      BIGINT NOT NULL,
    entries    BIGINT NOT NULL,
    saved      TEXT,
    chat_next  BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at   BIGINT,
    purge_at   BIGINT
);
CREATE INDEX sessions_of_a_room ON sessions (room, started_at);
CREATE UNIQUE INDEX sessions_running ON sessions (room) WHERE ended_at IS NULL;
CREATE INDEX sessions_to_purge ON sessions (purge_at) WHERE purge_at IS NOT NULL;

-- What happened since the saved state, in order.
CREATE TABLE journal (
    session TEXT   NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    entry   BIGINT NOT NULL,
    body    TEXT   NOT NULL,
    PRIMARY KEY (session, entry)
);

CREATE TABLE chat (
    session     TEXT   NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    seq         BIGINT NOT NULL,
    participant TEXT   NOT NULL,
    client_id   TEXT   NOT NULL,
    body        TEXT   NOT NULL,
    PRIMARY KEY (session, seq),
    UNIQUE (session, participant, client_id)
);

CREATE TABLE audit (
    id      TEXT   NOT NULL PRIMARY KEY,
    at      BIGINT NOT NULL,
    room    TEXT,
    session TEXT,
    actor   TEXT   NOT NULL,
    action  TEXT   NOT NULL,
    details TEXT   NOT NULL
);
CREATE INDEX audit_of_a_room ON audit (room, at);

-- E-mail to be sent. A key is there once, however often what caused it is repeated.
CREATE TABLE outbox (
    id              TEXT   NOT NULL PRIMARY KEY,
    idempotency_key TEXT   NOT NULL UNIQUE,
    message         TEXT   NOT NULL,
    tries           BIGINT NOT NULL,
    next_try_at     BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    sent_at         BIGINT,
    failed_at       BIGINT,
    last_error      TEXT
);
CREATE INDEX outbox_waiting ON outbox (next_try_at) WHERE sent_at IS NULL AND failed_at IS NULL;
