package main

// module is a parsed ASN.1 module.
type module struct {
	name    string
	imports map[string]string // type -> module
	order   []string
	types   map[string]*typ
	dummies map[string]bool // dummy parameters
}

// typ is an ASN.1 type with the constraints that PER sees.
type typ struct {
	kind       kind
	name       string // of a reference, or of a string type
	parameter  *typ   // actual parameter of a reference such as HASHED{X}
	fields     []field
	extensible bool
	values     []string // of an enumeration: root and additions
	roots      int      // number of values in the root
	elem       *typ
	size       *bounds
	value      *bounds
	alphabet   string
}

type kind int

const (
	reference kind = iota
	boolean
	null
	integer
	enumerated
	bitString
	octetString
	objectIdentifier
	characterString
	sequence
	choice
	listOf
	openType
)

// field is a component or an alternative.
type field struct {
	name     string
	typ      *typ
	optional bool
	addition bool
}

// bounds are those of a size or a value; upper is empty for MAX.
type bounds struct {
	lower, upper string
	extensible   bool
}
