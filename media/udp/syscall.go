package udp

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls of a packet are made without telling the scheduler: they do
// not block.

// receiveFrom reads a datagram that is there.
func receiveFrom(fd int, buf []byte) (int, netip.AddrPort, error) {
	var from unix.RawSockaddrInet6
	for {
		size := uint32(unix.SizeofSockaddrInet6)
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)),
			unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&from)), uintptr(unsafe.Pointer(&size)))
		switch errno {
		case 0:
			return int(n), addressOf(&from), nil
		case unix.EINTR:
		default:
			return 0, netip.AddrPort{}, errno
		}
	}
}

// addressOf reads a socket address of either family.
func addressOf(from *unix.RawSockaddrInet6) netip.AddrPort {
	if from.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(from))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), hostOrder(v4.Port))
	}
	addr := netip.AddrFrom16(from.Addr)
	if from.Scope_id != 0 {
		addr = addr.WithZone(strconv.Itoa(int(from.Scope_id)))
	}
	return netip.AddrPortFrom(addr, hostOrder(from.Port))
}

// Ports of socket addresses are in the order of the network.
func hostOrder(port uint16) uint16 {
	return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&port))[:])
}

// sendPatience is how long a full send buffer is waited for, ms.
const sendPatience = 20

// sendTo writes a datagram. Where the interface is behind it waits a little, as
// a burst of a picture may need.
func sendTo(fd int, v6 bool, b []byte, to netip.AddrPort) error {
	var storage unix.RawSockaddrInet6
	size := address(&storage, v6, to)
	if size == 0 {
		return syscall.EAFNOSUPPORT
	}
	return patiently(fd, func() syscall.Errno {
		_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&storage)), size)
		return errno
	})
}

// patiently makes a call that sends, once more where the send buffer was full.
func patiently(fd int, call func() syscall.Errno) error {
	for waited := false; ; {
		errno := call()
		switch {
		case errno == 0:
			return nil
		case errno == unix.EINTR:
		case errno == unix.EAGAIN && !waited:
			waited = true
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, sendPatience)
		default:
			return errno
		}
	}
}

// address lays out where to send; its size is 0 for an address of a family that
// the socket has not.
func address(storage *unix.RawSockaddrInet6, v6 bool, to netip.AddrPort) (size uintptr) {
	addr := to.Addr()
	switch {
	case !addr.IsValid():
		return 0
	case v6:
		storage.Family, storage.Addr, storage.Port = unix.AF_INET6, addr.As16(), hostOrder(to.Port())
		storage.Scope_id = scope(addr.Zone())
		return unix.SizeofSockaddrInet6
	case !addr.Is4() && !addr.Is4In6():
		return 0
	}
	v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(storage))
	v4.Family, v4.Addr, v4.Port = unix.AF_INET, addr.Unmap().As4(), hostOrder(to.Port())
	return unix.SizeofSockaddrInet4
}

// scope is the number of a zone, which may be named.
func scope(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	return 0
}
