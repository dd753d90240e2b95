// Package auth creates and checks the tokens by which RAS and call signalling messages
// show who sent them, by a password that both sides know.
//
// # Three ways
//
//	Baseline  H.235.1 procedure I: HMAC-SHA1-96 over the whole message with the hash
//	          itself zero. Protects the message; both sides sign.
//	Password  cryptoEPPwdHash: MD5 over alias, password and time. Not over the message:
//	          whoever sees one can put it into another message for some seconds.
//	Access    Cisco access token, a ClearToken: MD5 over a random octet, password, time.
//
// A Baseline token on the wire:
//
//	cryptoTokens[i] = nestedcryptoToken: cryptoHashedToken
//	  tokenOID    0.0.8.235.0.2.1 "A": the hash is over the whole message
//	  hashedVals  ClearToken 0.0.8.235.0.2.5 "T": sendersID, generalID (the receiver's),
//	              timeStamp (seconds since 1970), random
//	  token       algorithmOID 0.0.8.235.0.2.6 "U": HMAC-SHA1-96, hash of 96 bits
//
// The message is the RAS datagram, or the whole Q.931 message without its TPKT header.
//
// # Replay
//
// A Checker refuses a token it has accepted before. A sender that repeats a RAS message
// because the answer was lost repeats the token: whoever answers RAS keeps its answers
// for a while and looks there before it asks the Checker.
package auth
