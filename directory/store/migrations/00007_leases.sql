-- +goose Up

-- Which node decides in what several share, and until when.
CREATE TABLE leases (
    name  TEXT   PRIMARY KEY,
    node  TEXT   NOT NULL,
    until BIGINT NOT NULL
);
CREATE INDEX leases_until ON leases (until);

-- +goose Down
DROP TABLE leases;
