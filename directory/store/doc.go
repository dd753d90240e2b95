// Package store keeps what the gateway must not forget in SQLite or PostgreSQL.
// Everything above it speaks one SQL: placeholders $1, $2, ..., upserts by ON
// CONFLICT, times as microseconds since 1970, documents as JSON text.
//
// # What survives what
//
// Write is for what an operator or integrator was told is done: it returns when
// the transaction is on the disk. WriteSoon is for what terminals and calls
// repeat by themselves (bindings, progress of calls): it survives the end of
// the process at any moment, kill -9 too, since the kernel has it; the last
// moments of it may be lost when the machine loses power, and the database
// stays whole.
//
//	             SQLite (WAL)           PostgreSQL
//	Write        synchronous = FULL     synchronous_commit = on
//	WriteSoon    synchronous = NORMAL   synchronous_commit = off
//
// # Several nodes
//
// Documents carry the revision in which they changed. Every change takes the
// next revision from one row, whose lock puts the writers of all nodes in
// order, so that who has read up to a revision has missed nothing.
package store
