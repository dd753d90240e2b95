// Package livekit is the gateway's side of a LiveKit meeting: seats that
// publish the sound and pictures of one leg each, hidden receivers that take
// what everybody else publishes once per node, and the room service.
//
// # Connections
//
// A Seat or a Receiver is one SFU participant: a WebSocket for signalling and
// one peer connection per direction in use, each with one UDP socket. The
// publishing connection is offered by us and names no candidates of its own:
// the server learns our address from our checks, which avoids the second that
// ICE otherwise waits for peer-reflexive pairs. The receiving connection is
// offered by the server and answered with our candidates in the answer.
//
// What comes on the receiving connection goes from the reader of the socket to
// its track at once, by the shortcut, which learns the keys of SRTP from the
// handshake; pion's way, with a goroutine at each step, takes what is left. Lost
// packets of pictures are asked for by their tracks, and what came is reported
// once a second.
//
// # When the SFU goes away
//
// Seats and receivers rejoin by themselves under the same identity, with
// back-off and jitter, publish again what was published and subscribe again to
// what was subscribed. The events Reconnecting and Reconnected frame the gap.
// Only a refusal that cannot change (a token, a removal, a deleted room) ends
// them; Err says which.
package livekit
