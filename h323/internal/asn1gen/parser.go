package main

import (
	"fmt"
	"strings"
)

// parser reads the subset of ASN.1 that the H.323 modules use.
type parser struct {
	tokens []token
	at     int
}

// syntaxError carries an error out of the depths of the grammar.
type syntaxError struct{ error }

func (p *parser) fail(format string, args ...any) {
	line := 0
	if p.at < len(p.tokens) {
		line = p.tokens[p.at].line
	}
	panic(syntaxError{fmt.Errorf("line %d: "+format, append([]any{line}, args...)...)})
}

func (p *parser) peek() string { return p.ahead(0) }

func (p *parser) ahead(n int) string {
	if p.at+n >= len(p.tokens) {
		return ""
	}
	return p.tokens[p.at+n].text
}

func (p *parser) next() string {
	text := p.peek()
	if text == "" {
		p.fail("the module ends too early")
	}
	p.at++
	return text
}

func (p *parser) accept(words ...string) bool {
	for i, w := range words {
		if p.ahead(i) != w {
			return false
		}
	}
	p.at += len(words)
	return true
}

func (p *parser) expect(words ...string) {
	for _, w := range words {
		if got := p.peek(); got != w {
			p.fail("%q instead of %q", got, w)
		}
		p.at++
	}
}

// parseModule reads one module.
func parseModule(source string) (m *module, err error) {
	tokens, err := lex(source)
	if err != nil {
		return nil, err
	}
	defer func() {
		if failure := recover(); failure != nil {
			s, ok := failure.(syntaxError)
			if !ok {
				panic(failure)
			}
			err = s.error
		}
	}()
	p := &parser{tokens: tokens}
	m = &module{name: p.next(), imports: map[string]string{}, types: map[string]*typ{}, dummies: map[string]bool{}}
	for !p.accept("BEGIN") {
		p.next()
	}
	if p.accept("IMPORTS") {
		p.imports(m)
	}
	for !p.accept("END") {
		p.assignment(m)
	}
	return m, nil
}

func (p *parser) imports(m *module) {
	var names []string
	for !p.accept(";") {
		switch word := p.next(); word {
		case ",", "{", "}":
		case "FROM":
			from := p.next()
			for _, n := range names {
				m.imports[n] = from
			}
			names = nil
			p.braces()
		default:
			names = append(names, word)
		}
	}
}

// braces passes over { ... }, if any.
func (p *parser) braces() {
	if !p.accept("{") {
		return
	}
	for depth := 1; depth > 0; {
		switch p.next() {
		case "{":
			depth++
		case "}":
			depth--
		}
	}
}

func (p *parser) assignment(m *module) {
	name := p.next()
	if p.accept("{") {
		m.dummies[p.next()] = true
		p.expect("}")
	}
	p.expect("::=")
	if m.types[name] != nil {
		p.fail("%s is assigned twice", name)
	}
	m.types[name] = p.typ()
	m.order = append(m.order, name)
}

var stringTypes = map[string]string{
	"IA5String": "ia5", "NumericString": "numeric", "PrintableString": "printable",
	"VisibleString": "visible", "GeneralString": "general", "UTF8String": "utf8",
	"BMPString": "bmp", "UniversalString": "universal",
}

func (p *parser) typ() *typ {
	word := p.next()
	t := &typ{}
	switch word {
	case "BOOLEAN":
		t.kind = boolean
	case "NULL":
		t.kind = null
	case "INTEGER":
		t.kind = integer
	case "OBJECT":
		p.expect("IDENTIFIER")
		t.kind = objectIdentifier
	case "BIT", "OCTET":
		p.expect("STRING")
		t.kind = map[string]kind{"BIT": bitString, "OCTET": octetString}[word]
	case "ENUMERATED":
		t.kind = enumerated
		p.enumeration(t)
	case "CHOICE":
		t.kind = choice
		p.components(t)
	case "SEQUENCE", "SET":
		p.sequenceOrList(t, word)
	case "TYPE-IDENTIFIER":
		p.expect(".", "&Type", "(")
		t.kind = openType
		t.elem = p.typ()
		p.expect(")")
	default:
		p.named(t, word)
	}
	for p.peek() == "(" {
		p.constraint(t)
	}
	return t
}

func (p *parser) named(t *typ, word string) {
	if alias, ok := stringTypes[word]; ok {
		t.kind, t.name = characterString, alias
		return
	}
	if strings.ToUpper(word[:1]) != word[:1] {
		p.fail("%q is no type", word)
	}
	t.kind, t.name = reference, word
	if p.accept("{") {
		t.parameter = p.typ()
		p.expect("}")
	}
}

func (p *parser) sequenceOrList(t *typ, word string) {
	if p.peek() == "{" {
		if word == "SET" {
			p.fail("SET is not needed by these modules")
		}
		t.kind = sequence
		p.components(t)
		return
	}
	t.kind = listOf
	if p.peek() == "SIZE" {
		p.size(t)
	} else if p.peek() == "(" {
		p.constraint(t)
	}
	p.expect("OF")
	t.elem = p.typ()
}

// components reads { a A OPTIONAL, ..., b B } of a SEQUENCE or a CHOICE.
func (p *parser) components(t *typ) {
	p.expect("{")
	for !p.accept("}") {
		if p.accept("...") {
			if t.extensible {
				p.fail("two extension markers")
			}
			t.extensible = true
		} else {
			f := field{name: p.next(), addition: t.extensible}
			f.typ = p.typ()
			f.optional = p.accept("OPTIONAL")
			t.fields = append(t.fields, f)
		}
		if !p.accept(",") && p.peek() != "}" {
			p.fail("%q behind a component", p.peek())
		}
	}
}

func (p *parser) enumeration(t *typ) {
	p.expect("{")
	for !p.accept("}") {
		if p.accept("...") {
			t.extensible = true
		} else {
			t.values = append(t.values, p.next())
			if p.accept("(") {
				if number := p.next(); number != fmt.Sprint(len(t.values)-1) {
					p.fail("value %s out of order", number)
				}
				p.expect(")")
			}
			if !t.extensible {
				t.roots++
			}
		}
		p.accept(",")
	}
}

// constraint reads ( ... ) behind a type.
func (p *parser) constraint(t *typ) {
	p.expect("(")
	switch p.peek() {
	case "CONSTRAINED", "WITH": // not visible to PER (X.691 10.3)
		for p.peek() != ")" {
			if p.peek() == "{" {
				p.braces()
			} else {
				p.next()
			}
		}
	case "SIZE", "FROM":
		for more := true; more; more = p.accept("^") {
			if p.peek() == "SIZE" {
				p.size(t)
			} else {
				p.alphabet(t)
			}
		}
	default:
		t.value = p.bounds()
	}
	p.expect(")")
}

func (p *parser) size(t *typ) {
	p.expect("SIZE", "(")
	t.size = p.bounds()
	p.expect(")")
}

func (p *parser) alphabet(t *typ) {
	p.expect("FROM", "(")
	t.alphabet = strings.Trim(p.next(), `"`)
	p.expect(")")
}

func (p *parser) bounds() *bounds {
	b := &bounds{lower: p.next()}
	b.upper = b.lower
	if p.accept("..") {
		b.upper = p.next()
	}
	if b.upper == "MAX" {
		b.upper = ""
	}
	b.extensible = p.accept(",", "...")
	return b
}
