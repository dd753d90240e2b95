// Package exchange keeps the two halves of RAS exchanges: Requests repeats our own
// until they are answered, Replies keeps answers for requests that are repeated
// (ITU-T H.225.0 clause 7.20). Both are plain bookkeeping under an injected clock.
package exchange
