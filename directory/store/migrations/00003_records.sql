-- +goose Up

-- One row for each leg.
CREATE TABLE records (
    id             TEXT   PRIMARY KEY,
    node           TEXT   NOT NULL,
    meeting        TEXT   NOT NULL,
    agency         TEXT   NOT NULL,
    endpoint       TEXT   NOT NULL,
    protocol       TEXT   NOT NULL,
    direction      TEXT   NOT NULL,
    called         TEXT   NOT NULL,
    remote_alias   TEXT   NOT NULL,
    remote_name    TEXT   NOT NULL,
    remote_uri     TEXT   NOT NULL,
    remote_address TEXT   NOT NULL,
    product        TEXT   NOT NULL,
    trunk          TEXT   NOT NULL,
    encryption     TEXT   NOT NULL,
    started        BIGINT NOT NULL,
    answered       BIGINT NOT NULL,
    ended          BIGINT NOT NULL,
    updated        BIGINT NOT NULL,
    cause          TEXT   NOT NULL,
    cause_text     TEXT   NOT NULL,
    media          TEXT   NOT NULL
);
CREATE INDEX records_started ON records (started, id);
CREATE INDEX records_agency ON records (agency, started);
CREATE INDEX records_open ON records (node) WHERE ended = 0;

-- +goose Down
DROP TABLE records;
