package per

import (
	"cmp"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"sync"

	"github.com/roomgate/roomgate/h323/per/internal/tag"
)

// codec codes one Go type as one ASN.1 type.
type codec interface {
	decode(*decoder, reflect.Value) error
	encode(*encoder, reflect.Value) error
}

// plans caches the codecs of structs. They depend on the type alone, since all
// constraints stand in the tags of its fields.
var plans sync.Map // reflect.Type -> codec

var planning sync.Mutex

// planOf gives the codec of a type with the constraints of a tag.
func planOf(t reflect.Type, constraints *tag.Tag) (codec, error) {
	if t.Kind() == reflect.Struct {
		if c, ok := plans.Load(t); ok {
			return c.(codec), nil
		}
	}
	planning.Lock()
	defer planning.Unlock()
	p := planner{fresh: map[reflect.Type]*deferred{}}
	c, err := p.plan(t, constraints)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrType, t, err)
	}
	for t, d := range p.fresh {
		plans.Store(t, d.codec)
	}
	return c, nil
}

// deferred stands for the codec of a struct that is being planned: types refer
// to themselves.
type deferred struct{ codec }

// planner makes the codecs of a type and of all that it refers to.
type planner struct {
	fresh map[reflect.Type]*deferred
}

var (
	bigIntType    = reflect.TypeFor[big.Int]()
	bitStringType = reflect.TypeFor[BitString]()
	oidType       = reflect.TypeFor[OID]()
)

func (p *planner) plan(t reflect.Type, c *tag.Tag) (codec, error) {
	if c.Open {
		return p.open(t, c)
	}
	switch t {
	case bigIntType:
		if c.Range.HasUpper || c.Range.Extensible {
			return nil, fmt.Errorf("big integers have no upper bound")
		}
		return bigInteger{c.Range}, nil
	case bitStringType:
		return bitString{binaryRun(c.Size, 1)}, nil
	case oidType:
		return objectIdentifier{}, nil
	}
	switch t.Kind() {
	case reflect.Bool:
		if c.Null {
			return null{}, nil
		}
		return boolean{}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if c.Enum.Root > 0 {
			return enumerated{c.Enum}, nil
		}
		return integer{c.Range}, nil
	case reflect.String:
		return text(c)
	case reflect.Pointer:
		elem, err := p.plan(t.Elem(), c)
		return pointer{elem, t.Elem()}, err
	case reflect.Slice:
		return p.slice(t, c)
	case reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return octetArray{binaryRun(tag.Size{Lower: t.Len(), Upper: t.Len()}, 8)}, nil
		}
	case reflect.Struct:
		return p.structure(t)
	}
	return nil, fmt.Errorf("kind %s", t.Kind())
}

func (p *planner) open(t reflect.Type, c *tag.Tag) (codec, error) {
	if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
		return rawOpen{}, nil
	}
	closed := *c
	closed.Open = false
	contents, err := p.plan(t, &closed)
	return typedOpen{contents}, err
}

func (p *planner) slice(t reflect.Type, c *tag.Tag) (codec, error) {
	if t.Elem().Kind() == reflect.Uint8 && c.Elem == nil {
		return octetString{binaryRun(c.Size, 8)}, nil
	}
	inner := c.Elem
	if inner == nil {
		inner, _ = tag.Parse("", "")
	}
	elem, err := p.plan(t.Elem(), inner)
	return list{c.Size, elem, int(t.Elem().Size())}, err
}

func text(c *tag.Tag) (codec, error) {
	switch c.Kind {
	case "":
		return nil, fmt.Errorf("the tag names no string type")
	case "general", "utf8":
		return octetText{binaryRun(unboundedSize, 8)}, nil
	}
	return newCharacters(c), nil
}

// structure plans a SEQUENCE, a SET or a CHOICE.
func (p *planner) structure(t reflect.Type) (codec, error) {
	if c, ok := plans.Load(t); ok {
		return c.(codec), nil
	}
	if d, ok := p.fresh[t]; ok {
		return d, nil
	}
	d := &deferred{}
	p.fresh[t] = d
	f, err := p.fields(t)
	if err != nil {
		return nil, err
	}
	d.codec, err = f.codec()
	return d.codec, err
}

// fields are the parts of a struct, sorted by their meaning.
type fields struct {
	choice, set     bool
	root, additions []component
	extensions      int
	other           int
}

func (p *planner) fields(t reflect.Type) (*fields, error) {
	out := &fields{extensions: -1, other: -1}
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case f.Type == choiceType:
			out.choice = true
			continue
		case f.Type == setType:
			out.set = true
			continue
		case f.Type == extensionsType:
			out.extensions = i
			continue
		case f.Type == alternativeType:
			out.other = i
			continue
		case !f.IsExported():
			return nil, fmt.Errorf("field %s is not exported", f.Name)
		}
		t, err := tag.Field(f)
		if err != nil {
			return nil, err
		}
		c, err := p.component(f, t)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		if t.Ext {
			out.additions = append(out.additions, c)
		} else {
			out.root = append(out.root, c)
		}
	}
	return out, nil
}

func (p *planner) component(f reflect.StructField, t *tag.Tag) (c component, err error) {
	kind := f.Type.Kind()
	c = component{
		name: t.Name, index: f.Index[0], number: t.Number,
		optional: t.Optional || t.Default != nil,
		nilable:  kind == reflect.Pointer || kind == reflect.Slice,
		null:     kind == reflect.Bool && t.Null,
	}
	if c.codec, err = p.plan(f.Type, t); err != nil {
		return c, err
	}
	if t.Default != nil {
		c.fallback, err = parseDefault(f.Type, *t.Default)
		c.nilable = false
	} else if c.optional && !c.nilable && !c.null {
		err = fmt.Errorf("optional, but neither pointer nor slice")
	}
	return c, err
}

// parseDefault reads the DEFAULT of a simple type.
func parseDefault(t reflect.Type, value string) (reflect.Value, error) {
	v := reflect.New(t).Elem()
	var err error
	switch {
	case t.Kind() == reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(value)
		v.SetBool(b)
	case t.Kind() == reflect.String:
		v.SetString(value)
	case v.CanInt():
		var n int64
		n, err = strconv.ParseInt(value, 10, t.Bits())
		v.SetInt(n)
	case v.CanUint():
		var n uint64
		n, err = strconv.ParseUint(value, 10, t.Bits())
		v.SetUint(n)
	default:
		err = fmt.Errorf("default for %s", t)
	}
	return v, err
}

func (f *fields) codec() (codec, error) {
	sortByTag(f.root, f.choice || f.set)
	sortByTag(f.additions, f.choice)
	if f.choice {
		return f.newChoice()
	}
	if f.extensions < 0 && len(f.additions) > 0 {
		return nil, fmt.Errorf("additions without a field for Extensions")
	}
	s := &sequence{root: f.root, additions: f.additions, extensions: f.extensions}
	for _, c := range f.root {
		if c.optional {
			s.optional++
		}
	}
	for _, c := range f.additions {
		if !c.nilable && !c.null {
			return nil, fmt.Errorf("addition %s is neither pointer nor slice", c.name)
		}
	}
	return s, nil
}

func (f *fields) newChoice() (codec, error) {
	if len(f.root) == 0 || f.other < 0 && len(f.additions) > 0 {
		return nil, fmt.Errorf("choice without alternatives, or with additions but no field Other")
	}
	for _, c := range slices.Concat(f.root, f.additions) {
		if !c.nilable && !c.null {
			return nil, fmt.Errorf("alternative %s is neither pointer nor slice", c.name)
		}
	}
	return &choice{f.root, f.additions, f.other}, nil
}

// sortByTag brings components into canonical order. Without explicit numbers the
// order of the fields is that of automatic tags.
func sortByTag(list []component, canonical bool) {
	if canonical {
		slices.SortStableFunc(list, func(a, b component) int { return cmp.Compare(a.number, b.number) })
	}
}

// pointer is a value behind a pointer: optional components and alternatives.
type pointer struct {
	elem   codec
	target reflect.Type
}

func (c pointer) decode(d *decoder, v reflect.Value) error {
	if err := d.budget.memory(int(c.target.Size())); err != nil {
		return err
	}
	p := reflect.New(c.target)
	v.Set(p)
	return c.elem.decode(d, p.Elem())
}

func (c pointer) encode(e *encoder, v reflect.Value) error {
	if v.IsNil() {
		return ErrMissing
	}
	return c.elem.encode(e, v.Elem())
}
