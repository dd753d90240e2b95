-- +goose Up

-- The one row whose lock orders all changes of documents.
CREATE TABLE revision (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    seq      BIGINT NOT NULL
);
INSERT INTO revision (only_row, seq) VALUES (1, 0);

-- Endpoints, meetings, dial rules, trunks, API keys. An empty body is what is
-- left of a deleted one until every node has seen it.
CREATE TABLE documents (
    kind    TEXT   NOT NULL,
    id      TEXT   NOT NULL,
    rev     BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    body    TEXT   NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE INDEX documents_rev ON documents (rev);

-- What may belong to one document only: user names, aliases, names of trunks.
CREATE TABLE names (
    space TEXT NOT NULL,
    name  TEXT NOT NULL,
    kind  TEXT NOT NULL,
    id    TEXT NOT NULL,
    PRIMARY KEY (space, name)
);
CREATE INDEX names_owner ON names (kind, id);

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- +goose Down
DROP TABLE settings;
DROP TABLE names;
DROP TABLE documents;
DROP TABLE revision;
