// Package directory knows whom and what can be called: the endpoints of the
// agencies with their aliases and passwords, meetings, dial rules, trunks, and
// the keys of the API.
//
// All of it is in memory, compiled for what it is looked up by, so that routing
// and digest answers ask no database, and calls go on while the database does
// not answer. Changes go to the database first and then into memory; those of
// other nodes, and of the command line, are read once a second.
package directory
