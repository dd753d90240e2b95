// Package control runs the H.245 control channel of one call: who is master, what
// either side can do, which logical channels stand, and what is said about them.
//
// A Session does no input or output and has no clock. It belongs to one goroutine, which
// hands in messages and the time, and gets back messages to send and events:
//
//	              Receive(now, m)            Config.Send(m)
//	H.245 ───────────────────────▶ Session ─────────────────▶ H.245
//	clock ──── Tick(now) ────────▶         ───▶ Config.Emit(event)
//	leg ── Update, RequestToken.. ▶        ◀─── Media(), Medium(role)
//
// Send and Emit are called before the method that caused them returns, all messages
// before the first event. Emit may call the Session's methods.
//
// # The life of a call
//
//	OfferFastStart / AnswerFastStart / AcceptFastStart   optional, H.323 clause 8.1.7
//	Start                  terminalCapabilitySet and masterSlaveDetermination go out
//	... Receive ...        Established, then a channel is opened for each role that both
//	                       sides can do; MediaChanged whenever the outcome changes
//	Close                  endSession
//
// Media tells per role where to send, in which formats, how much, and what comes: enough
// to make the parameters of an RTP session. Channels of H.245 are one-way, so either
// direction may stand alone and the formats may differ.
//
// # Roles and sessions
//
//	session 1     audio                        media.Audio
//	session 2     first video                  media.Main
//	session 32..  second video (H.239)         media.Content; numbered by the master
//
// # Units
//
// Bit rates of H.245 are in 100 bit/s; those of this package are in bit/s.
package control
