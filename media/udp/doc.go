// Package udp reads the UDP sockets of many calls with few wake-ups.
//
// A goroutine for each socket is woken for each packet, and each time it may be
// a sleeping processor that is woken for it. That costs more than reading the
// packet does. Readers watch all sockets by one epoll instance instead, and
// while much comes in they look at it every three milliseconds and take all that has
// come:
//
//	few packets:   wait ─ packet ─ take ─ wait ─ packet ─ take ─ wait
//	many packets:  take 7 ─ sleep 3 ms ─ take 9 ─ sleep 3 ms ─ take 6 ─ ...
//
// What comes on one socket is handed on in order, one datagram at a time; when
// many sockets have something, helpers on the other processors take a part.
//
// What is sent while they look may be held back a little: datagrams that follow each
// other, as those of a picture do, leave by one system call; see More.
package udp
