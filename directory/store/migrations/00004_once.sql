-- +goose Up

-- Answers to requests that carry an idempotency key. Status 0: it is being
-- worked on.
CREATE TABLE once (
    id      TEXT   PRIMARY KEY,
    request TEXT   NOT NULL,
    status  BIGINT NOT NULL,
    kind    TEXT   NOT NULL,
    body    TEXT   NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX once_created ON once (created);

-- +goose Down
DROP TABLE once;
