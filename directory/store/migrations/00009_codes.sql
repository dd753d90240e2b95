-- +goose Up

-- Codes that let somebody into a meeting once. used: 0 until then.
CREATE TABLE codes (
    id      TEXT   PRIMARY KEY,
    meeting TEXT   NOT NULL,
    hash    TEXT   NOT NULL,
    role    TEXT   NOT NULL,
    name    TEXT   NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    used    BIGINT NOT NULL,
    used_by TEXT   NOT NULL,
    UNIQUE (meeting, hash)
);
CREATE INDEX codes_expires ON codes (expires);

-- +goose Down
DROP TABLE codes;
