package bfcp

import "strconv"

// Primitive tells messages apart (RFC 8855 §5.1, Table 1).
type Primitive uint8

// Primitives.
const (
	FloorRequestPrimitive          Primitive = 1
	FloorReleasePrimitive          Primitive = 2
	FloorRequestQueryPrimitive     Primitive = 3
	FloorRequestStatusPrimitive    Primitive = 4
	UserQueryPrimitive             Primitive = 5
	UserStatusPrimitive            Primitive = 6
	FloorQueryPrimitive            Primitive = 7
	FloorStatusPrimitive           Primitive = 8
	ChairActionPrimitive           Primitive = 9
	ChairActionAckPrimitive        Primitive = 10
	HelloPrimitive                 Primitive = 11
	HelloAckPrimitive              Primitive = 12
	ErrorPrimitive                 Primitive = 13
	FloorRequestStatusAckPrimitive Primitive = 14
	FloorStatusAckPrimitive        Primitive = 15
	GoodbyePrimitive               Primitive = 16
	GoodbyeAckPrimitive            Primitive = 17
)

var primitiveNames = [...]string{
	"", "FloorRequest", "FloorRelease", "FloorRequestQuery", "FloorRequestStatus", "UserQuery", "UserStatus",
	"FloorQuery", "FloorStatus", "ChairAction", "ChairActionAck", "Hello", "HelloAck", "Error",
	"FloorRequestStatusAck", "FloorStatusAck", "Goodbye", "GoodbyeAck",
}

func (p Primitive) String() string {
	if p > 0 && int(p) < len(primitiveNames) {
		return primitiveNames[p]
	}
	return "primitive " + strconv.Itoa(int(p))
}

// ErrorCode says why a message was refused (RFC 8855 §5.2.6, Table 5).
type ErrorCode uint8

// Error codes.
const (
	ConferenceDoesNotExist   ErrorCode = 1
	UserDoesNotExist         ErrorCode = 2
	UnknownPrimitive         ErrorCode = 3
	UnknownMandatory         ErrorCode = 4
	UnauthorizedOperation    ErrorCode = 5
	InvalidFloorID           ErrorCode = 6
	FloorRequestDoesNotExist ErrorCode = 7
	TooManyRequests          ErrorCode = 8
	UseTLS                   ErrorCode = 9
	UnableToParse            ErrorCode = 10
	UseDTLS                  ErrorCode = 11
	UnsupportedVersion       ErrorCode = 12
	IncorrectLength          ErrorCode = 13
	GenericError             ErrorCode = 14
)

// Status of a floor request (RFC 8855 §5.2.5, Table 4).
type Status uint8

// Statuses.
const (
	Pending   Status = 1
	Accepted  Status = 2
	Granted   Status = 3
	Denied    Status = 4
	Cancelled Status = 5
	Released  Status = 6
	Revoked   Status = 7
)

var statusNames = [...]string{"", "Pending", "Accepted", "Granted", "Denied", "Cancelled", "Released", "Revoked"}

func (s Status) String() string {
	if s > 0 && int(s) < len(statusNames) {
		return statusNames[s]
	}
	return "status " + strconv.Itoa(int(s))
}

// Priority of a floor request (RFC 8855 §5.2.4): 0 lowest to 4 highest.
type Priority uint8
