-- +goose Up

-- Where terminals are: bindings of the SIP registrar, registrations of the
-- gatekeeper. The owner is an account or an endpoint identifier.
CREATE TABLE registrations (
    protocol TEXT   NOT NULL,
    owner    TEXT   NOT NULL,
    contact  TEXT   NOT NULL,
    node     TEXT   NOT NULL,
    updated  BIGINT NOT NULL,
    expires  BIGINT NOT NULL,
    body     TEXT   NOT NULL,
    PRIMARY KEY (protocol, owner, contact)
);
CREATE INDEX registrations_expires ON registrations (protocol, expires);

-- The names that an H.323 endpoint registered, folded.
CREATE TABLE registered_names (
    protocol TEXT NOT NULL,
    name     TEXT NOT NULL,
    owner    TEXT NOT NULL,
    PRIMARY KEY (protocol, name, owner)
);
CREATE INDEX registered_names_owner ON registered_names (protocol, owner);

-- Nodes at work on this database, and where the others reach them.
CREATE TABLE nodes (
    name    TEXT   PRIMARY KEY,
    sip     TEXT   NOT NULL,
    h323    TEXT   NOT NULL,
    started BIGINT NOT NULL,
    seen    BIGINT NOT NULL
);

-- +goose Down
DROP TABLE nodes;
DROP TABLE registered_names;
DROP TABLE registrations;
