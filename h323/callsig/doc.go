// Package callsig is H.225.0 call signalling without input and output: messages
// taken apart and put together, the states of a call, and the reasons for its end.
//
//	caller                                   callee
//	initiated          SETUP ------------->  present
//	                   <---- SETUP ACK       overlap        (digits are missing)
//	                   INFORMATION ------->
//	proceeding         <---- CALL PROCEEDING proceeding
//	delivered          <---- ALERTING        received
//	active             <---- CONNECT         active
//	                   FACILITY, NOTIFY, STATUS .. both ways
//	released           RELEASE COMPLETE      released
//
// H.323 has no DISCONNECT and no RELEASE: RELEASE COMPLETE ends a call at once
// (H.225.0 clause 7.3).
package callsig
