package q931

import "fmt"

// MessageType is the type of a message (Q.931 table 4-2).
type MessageType uint8

// Message types that H.225.0 table 4 and Q.931 name.
const (
	Escape            MessageType = 0x00
	Alerting          MessageType = 0x01
	CallProceeding    MessageType = 0x02
	Progress          MessageType = 0x03
	Setup             MessageType = 0x05
	Connect           MessageType = 0x07
	SetupAcknowledge  MessageType = 0x0D
	ConnectAck        MessageType = 0x0F
	UserInformation   MessageType = 0x20
	Disconnect        MessageType = 0x45
	Restart           MessageType = 0x46
	Release           MessageType = 0x4D
	ReleaseComplete   MessageType = 0x5A
	Facility          MessageType = 0x62
	Notify            MessageType = 0x6E
	StatusInquiry     MessageType = 0x75
	CongestionControl MessageType = 0x79
	Information       MessageType = 0x7B
	Status            MessageType = 0x7D
)

var typeNames = map[MessageType]string{
	Escape: "ESCAPE", Alerting: "ALERTING", CallProceeding: "CALL PROCEEDING", Progress: "PROGRESS", Setup: "SETUP",
	Connect: "CONNECT", SetupAcknowledge: "SETUP ACKNOWLEDGE", ConnectAck: "CONNECT ACKNOWLEDGE",
	UserInformation: "USER INFORMATION", Disconnect: "DISCONNECT", Restart: "RESTART", Release: "RELEASE",
	ReleaseComplete: "RELEASE COMPLETE", Facility: "FACILITY", Notify: "NOTIFY", StatusInquiry: "STATUS INQUIRY",
	CongestionControl: "CONGESTION CONTROL", Information: "INFORMATION", Status: "STATUS",
}

// String gives the name in capitals, as the Recommendation writes it.
func (t MessageType) String() string {
	if name := typeNames[t]; name != "" {
		return name
	}
	return fmt.Sprintf("message type %#02x", uint8(t))
}

var elementNames = map[ElementID]string{
	BearerCapabilityID: "Bearer capability", CauseID: "Cause", CallStateID: "Call state", ChannelID: "Channel identification",
	FacilityID: "Facility", ProgressID: "Progress indicator", NetworkFacilitiesID: "Network-specific facilities",
	NotificationID: "Notification indicator", DisplayID: "Display", DateTimeID: "Date/time", KeypadID: "Keypad facility",
	SignalID: "Signal", ConnectedNumberID: "Connected number", ConnectedSubaddressID: "Connected subaddress",
	CallingNumberID: "Calling party number", CallingSubaddressID: "Calling party subaddress",
	CalledNumberID: "Called party number", CalledSubaddressID: "Called party subaddress",
	RedirectingNumberID: "Redirecting number", TransitNetworkID: "Transit network selection",
	LowLayerCompatibilityID: "Low layer compatibility", HighLayerCompatibilityID: "High layer compatibility",
	UserUserID: "User-user", MoreDataID: "More data", SendingCompleteID: "Sending complete",
	CongestionLevelID: "Congestion level", RepeatIndicationID: "Repeat indicator",
}

// String gives the element's name.
func (id ElementID) String() string {
	if name := elementNames[id]; name != "" {
		return name
	}
	return fmt.Sprintf("information element %#02x", uint8(id))
}
