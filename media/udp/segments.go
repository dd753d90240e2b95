package udp

import (
	"errors"
	"net/netip"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// segments are the headers of a message that the kernel cuts into datagrams (UDP_SEGMENT,
// udp(7), Linux 4.18).
type segments struct {
	msg     unix.Msghdr
	part    unix.Iovec
	to      unix.RawSockaddrInet6
	control struct {
		unix.Cmsghdr
		size uint16
		_    [6]byte // to a multiple of the header's alignment
	}
}

// sendSegments writes b as datagrams of size, the last of which may be shorter.
func sendSegments(fd int, v6 bool, b []byte, size int, to netip.AddrPort, s *segments) error {
	s.to = unix.RawSockaddrInet6{} // of another family before, perhaps
	length := address(&s.to, v6, to)
	if length == 0 {
		return syscall.EAFNOSUPPORT
	}
	s.part.Base = unsafe.SliceData(b)
	s.part.SetLen(len(b))
	s.control.Level, s.control.Type, s.control.size = unix.SOL_UDP, unix.UDP_SEGMENT, uint16(size)
	s.control.SetLen(unix.CmsgLen(2))
	s.msg.Name, s.msg.Namelen = (*byte)(unsafe.Pointer(&s.to)), uint32(length)
	s.msg.Iov = &s.part
	s.msg.SetIovlen(1)
	s.msg.Control = (*byte)(unsafe.Pointer(&s.control))
	s.msg.SetControllen(unix.CmsgSpace(2))
	defer runtime.KeepAlive(s)
	return patiently(fd, func() syscall.Errno {
		_, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&s.msg)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		return errno
	})
}

// unable reports whether an error means that datagrams must go one by one: the kernel does
// not know of UDP_SEGMENT, the interface cannot, or a datagram does not fit the path.
func unable(err error) bool {
	for _, errno := range []syscall.Errno{unix.EIO, unix.EINVAL, unix.EOPNOTSUPP, unix.ENOPROTOOPT, unix.EMSGSIZE} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
