-- A code is shown together with what the answer to its request said: only who asked can guess, and spends
-- no tries but its own. Codes that were sent before are asked for again.
DROP TABLE proofs;
CREATE TABLE proofs (
    id         TEXT   NOT NULL PRIMARY KEY,
    email      TEXT   NOT NULL,
    code       TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    tries      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX proofs_by_email ON proofs (email);
